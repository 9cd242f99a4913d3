"""Tests run side by side, one process a core: more threads than that would only wait for each other."""

import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings
from servers.fixtures import _file_server, _maps, account, broken_files, broken_maps, earth_engine, file_server, maps  # noqa: F401

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")
# Snakemake gives its jobs threads of their own; waiting for each other they would burn the cores that others need.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# No test asserts a time: an example that takes long on a busy machine is no fault.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes minutes, or else one process would be busy with it at the end and the others idle."""
    items.sort(key=lambda item: item.get_closest_marker("minutes") is None)


@dataclass(frozen=True)
class Disk:
    """A file system of its own."""

    folder: Path

    def resize(self, size: str) -> None:
        """Make it as large as this, such as "64k"."""
        _mount("-o", f"remount,size={size}", self.folder)

    def close(self) -> None:
        """Let it only be read from now on, by root too."""
        _mount("-o", "remount,ro", self.folder)


def _mount(*arguments: str | Path) -> None:
    subprocess.run(["mount", *map(str, arguments)], check=True, capture_output=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str], Disk]]:
    """Mount a file system of a size; only root can."""
    if os.getuid() != 0:
        pytest.skip("only root can mount a small file system")
    mounted: list[Path] = []

    def made(size: str) -> Disk:
        folder = tmp_path / f"disk-{len(mounted)}"
        folder.mkdir()
        _mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder)
        mounted.append(folder)
        return Disk(folder)

    yield made
    for folder in mounted:
        subprocess.run(["umount", "-l", str(folder)], check=True)
