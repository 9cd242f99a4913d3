"""Publishing: a name holds the whole new content or the old one, whatever happens in between."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

from terraform.errors import ResourceError
from terraform.geo.bodies import EARTH
from terraform.geo.grid import RasterGrid
from terraform.geo.raster import write_strips
from terraform.geo.resample import Axis
from terraform.storage import atomic_write as module
from terraform.storage.atomic_write import atomic_write, remove_stale, require_space, write_text


def python(code: str, *arguments: Path | int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_block_that_raises_leaves_the_old_content(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "old")
    with pytest.raises(ValueError), atomic_write(tmp_path / "a.txt") as temporary:
        temporary.write_text("new")
        raise ValueError
    assert (tmp_path / "a.txt").read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_what_verify_refuses_is_not_published(tmp_path: Path) -> None:
    def refuse(path: Path) -> None:
        assert path.read_text() == "new"
        raise ValueError("not right")

    write_text(tmp_path / "a.txt", "old")
    with pytest.raises(ValueError, match="not right"), atomic_write(tmp_path / "a.txt", verify=refuse) as temporary:
        temporary.write_text("new")
    assert (tmp_path / "a.txt").read_text() == "old"


def test_folders_are_made_and_the_suffix_kept(tmp_path: Path) -> None:
    with atomic_write(tmp_path / "x" / "y" / "a.tif") as temporary:
        assert temporary.suffix == ".tif" and temporary.parent == tmp_path / "x" / "y"
        temporary.write_bytes(b"1")
    assert (tmp_path / "x" / "y" / "a.tif").read_bytes() == b"1"


def test_data_reach_the_disk_before_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    real_fsync, real_replace = os.fsync, Path.replace

    def fsync(handle: int) -> None:
        order.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        real_fsync(handle)

    def replace(self: Path, target: Path) -> Path:
        order.append("rename")
        return real_replace(self, target)

    monkeypatch.setattr(module.os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    write_text(tmp_path / "a.txt", "x")
    assert order == ["file", "rename", "folder"]


KILLED = """
import sys, time
from pathlib import Path
from terraform.storage.atomic_write import atomic_write
with atomic_write(Path(sys.argv[1])) as temporary:
    temporary.write_text("half")
    print("writing", flush=True)
    time.sleep(60)
"""


def test_a_killed_process_leaves_the_old_content_and_the_next_one_cleans_up(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")
    child = subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE)
    assert child.stdout is not None and child.stdout.readline() == b"writing\n"
    remove_stale(tmp_path)
    assert len(names(tmp_path)) == 2, "the temporary file of a living process must stay"
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert path.read_text() == "old" and len(names(tmp_path)) == 2
    write_text(tmp_path / "b.txt", "other")
    assert names(tmp_path) == ["a.txt", "b.txt"]


FULL = """
import resource, signal, sys
from pathlib import Path
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
import numpy as np, rasterio
from terraform.errors import TerraformError
from terraform.geo.bodies import EARTH
from terraform.geo.grid import RasterGrid
from terraform.geo.raster import write_strips
from terraform.geo.resample import Axis
from terraform.storage.atomic_write import write_text
grid = RasterGrid(EARTH, Axis(10.0, -0.001, 1024), Axis(10.0, 0.001, 1024))
noise = np.random.default_rng(0).integers(0, 3000, (4, 256, 1024)).astype(np.int16)
limit = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    if sys.argv[1].endswith("tif"):
        write_strips(Path(sys.argv[1]), grid, iter(noise), 1, "int16", {})
    else:
        write_text(Path(sys.argv[1]), "x" * 400_000)
except TerraformError as error:
    print(error)
    sys.exit(error.exit_code)
"""


@pytest.mark.parametrize(("name", "limit"), [("a.txt", 200_000), ("a.tif", 200_000), ("a.tif", 1_200_000)])
def test_a_full_disk_is_told_and_the_old_file_stays(tmp_path: Path, name: str, limit: int) -> None:
    (tmp_path / name).write_text("old")
    result = python(FULL, tmp_path / name, limit)
    assert result.returncode == ResourceError.exit_code, result.stderr
    assert str(tmp_path) in result.stdout and "disk is full" in result.stdout
    assert (tmp_path / name).read_text() == "old"
    assert names(tmp_path) == [name]


READ_ONLY = """
import os, sys
from pathlib import Path
import numpy as np
from rasterio.crs import CRS
from terraform.errors import TerraformError
from terraform.geo.bodies import EARTH
from terraform.geo.grid import RasterGrid
from terraform.geo.raster import write_strips
from terraform.geo.resample import Axis
from terraform.storage.atomic_write import write_text
# The interpreter may lie where only root may read, so everything is imported, and PROJ's data opened, before that.
CRS.from_user_input(EARTH.geographic_crs).to_wkt()
if os.getuid() == 0:
    os.setgid(65534); os.setuid(65534)
grid = RasterGrid(EARTH, Axis(10.0, -0.001, 8), Axis(10.0, 0.001, 8))
try:
    if sys.argv[1].endswith("tif"):
        write_strips(Path(sys.argv[1]), grid, [np.zeros((8, 8), np.int16)], 1, "int16", {})
    else:
        write_text(Path(sys.argv[1]), "new")
except TerraformError as error:
    print(error)
    sys.exit(error.exit_code)
"""


@pytest.mark.parametrize("name", ["a.txt", "a.tif"])
def test_a_read_only_folder_is_told(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "closed"
    folder.mkdir()
    (folder / name).write_text("old")
    folder.chmod(0o555)
    # Another user must reach the folder, which pytest makes for the owner alone.
    for parent in (tmp_path, *tmp_path.parents):
        if parent == Path(tempfile.gettempdir()):
            break
        parent.chmod(parent.stat().st_mode | 0o011)
    result = python(READ_ONLY, folder / name)
    folder.chmod(0o755)
    assert result.returncode == ResourceError.exit_code, result.stderr
    assert "make its folder writable" in result.stdout
    assert (folder / name).read_text() == "old"


@pytest.mark.parametrize("name", ["a.txt", "a.tif"])
def test_a_folder_that_cannot_be_entered_is_told(tmp_path: Path, name: str) -> None:
    """Whoever may not even look into the parent gets the same message, if not root."""
    (tmp_path / "closed").mkdir()
    tmp_path.chmod(0o700)
    if os.getuid() != 0:
        pytest.skip("only root can leave itself without access")
    result = python(READ_ONLY, tmp_path / "closed" / name)
    assert result.returncode == ResourceError.exit_code, result.stderr


def test_space_is_asked_for_before(tmp_path: Path) -> None:
    require_space(tmp_path / "not" / "yet", 1000)
    with pytest.raises(ResourceError, match="are needed: free some space"):
        require_space(tmp_path, shutil.disk_usage(tmp_path).free * 2)


def test_strangers_are_not_swept(tmp_path: Path) -> None:
    for name in (".hidden", ".part-x.txt", "a.part-1.txt", ".a.part-x.txt"):
        (tmp_path / name).write_text("mine")
    remove_stale(tmp_path)
    assert len(names(tmp_path)) == 4


def test_several_processes_publish_in_one_folder(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from terraform.storage.atomic_write import write_text\n"
    code += "for n in range(40): write_text(Path(sys.argv[1]), sys.argv[2] * 1000)"
    children = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "a.txt"), letter]) for letter in ("a", "b")
    ]
    until = time.monotonic() + 60
    while any(child.poll() is None for child in children) and time.monotonic() < until:
        if (tmp_path / "a.txt").exists():
            text = (tmp_path / "a.txt").read_text()
            assert text in ("a" * 1000, "b" * 1000)
    assert [child.wait() for child in children] == [0, 0]
    assert names(tmp_path) == ["a.txt"]


def test_a_raster_killed_by_its_source_is_not_published(tmp_path: Path) -> None:
    def strips():  # type: ignore[no-untyped-def]
        yield np.zeros((4, 8), np.int16)
        raise RuntimeError("the source failed")

    grid = RasterGrid(EARTH, Axis(10.0, -0.001, 8), Axis(10.0, 0.001, 8))
    with pytest.raises(RuntimeError, match="the source failed"):
        write_strips(tmp_path / "a.tif", grid, strips(), 1, "int16", {})
    assert names(tmp_path) == []


def test_others_may_read_what_is_published(tmp_path: Path) -> None:
    """As far as the user's umask lets them, whatever a library made of the file."""
    with atomic_write(tmp_path / "a.txt") as temporary:
        temporary.write_text("new")
        temporary.chmod(0o600)
    (tmp_path / "plain.txt").write_text("as any program writes")
    assert (tmp_path / "a.txt").stat().st_mode == (tmp_path / "plain.txt").stat().st_mode


def test_what_another_machine_writes_is_left_for_a_day(tmp_path: Path) -> None:
    """Its processes cannot be seen from here; a number that is free here may be its writer's."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    here, there, old = (tmp_path / f".a.part-{child.pid}-{host}.txt" for host in (module._HOST, "0000aa", "0000bb"))
    for path in (here, there, old):
        path.write_text("x")
    os.utime(old, (time.time() - 90_000,) * 2)
    remove_stale(tmp_path)
    assert names(tmp_path) == [there.name]
