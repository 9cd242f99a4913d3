"""Memory that was freed is taken again without asking the system for it."""

import subprocess
import sys
from ctypes import CDLL
from pathlib import Path

import pytest
from typer.testing import CliRunner

from terraform.__main__ import app
from terraform.errors import ConfigError, InputError
from terraform.learn.runtime import malloc

_WORK = """
import resource
import sys
from concurrent.futures import ThreadPoolExecutor
from terraform.learn.runtime.malloc import keep_freed
if sys.argv[1] == "keep":
    keep_freed()
def window():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    b"x" * (128 << 20)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

with ThreadPoolExecutor(1) as pool:  # the network draws in a thread
    faults = [pool.submit(window).result() for _ in range(4)]
print(max(faults[2:]))
"""


@pytest.mark.skipif(not hasattr(CDLL(None), "mallopt"), reason="the C library is not glibc")
def test_freed_blocks_are_taken_again() -> None:
    faults = {how: int(subprocess.check_output([sys.executable, "-c", _WORK, how])) for how in ("keep", "give back")}
    assert faults["keep"] < 100  # a page now and then
    assert faults["give back"] > 1000  # 32,768 pages of 4 KB, should they not be huge


_HOLES = """
import sys
from terraform.learn.runtime import malloc as allocator
allocator.keep_freed()
blocks = [b"x" * (1 << 20) for _ in range(400)]
full = allocator.resident()
del blocks[::2]
allocator.give_back(int(sys.argv[1]))
print((full - allocator.resident()) >> 20)
"""


@pytest.mark.skipif(not hasattr(CDLL(None), "malloc_trim"), reason="the C library is not glibc")
@pytest.mark.parametrize(("above", "megabytes"), [(100 << 20, range(180, 210)), (100 << 30, range(-10, 10))])
def test_holes_are_given_back_where_much_is_taken(above: int, megabytes: range) -> None:
    assert int(subprocess.check_output([sys.executable, "-c", _HOLES, str(above)])) in megabytes


@pytest.mark.parametrize(
    "command",
    [["train", "PLACE", "--output", "PLACE"],
     ["generate", "--weights", "PLACE/none", "--elevation", "PLACE/none", "--output", "PLACE/out.tif"]],
)  # fmt: skip
def test_commands_that_run_networks_keep_what_is_freed(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(malloc, "keep_freed", lambda: asked.append(True))
    done = CliRunner().invoke(app, [word.replace("PLACE", str(tmp_path)) for word in command])
    assert asked == [True] and isinstance(done.exception, (InputError, ConfigError)), done.output
