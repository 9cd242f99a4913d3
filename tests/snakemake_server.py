"""Snakemake without its start, which is most of a dry run: forked from a process that has it imported.

Nothing of the package is imported before the fork: each run takes the package beside its own Snakefile.
"""

import atexit
import gc
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory


@cache
def _server() -> "subprocess.Popen[str]":
    """Start the server of this process; it ends when this process does."""
    pipe = subprocess.PIPE
    server = subprocess.Popen([sys.executable, __file__], stdin=pipe, stdout=pipe, text=True)
    atexit.register(server.communicate)
    return server


def snakemake(folder: Path, arguments: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    """Run Snakemake in a folder, as `python -m snakemake` does."""
    with TemporaryDirectory() as told:
        outputs = [str(Path(told, name)) for name in ("out", "err")]
        asked = {"folder": str(folder), "arguments": ["snakemake", *arguments], "outputs": outputs,
                 "environment": dict(os.environ)}  # fmt: skip
        server = _server()
        assert server.stdin is not None and server.stdout is not None
        server.stdin.write(json.dumps(asked) + "\n")
        server.stdin.flush()
        code = int(server.stdout.readline())
        out, err = (Path(output).read_text(encoding="utf-8") for output in outputs)
    return subprocess.CompletedProcess(["snakemake", *arguments], code, out, err)


def _become(asked: dict) -> None:
    """Take on the folder, environment and outputs of a run."""
    for number, path in enumerate((os.devnull, *asked["outputs"])):
        file = os.open(path, os.O_RDWR | os.O_CREAT)
        os.dup2(file, number)
        os.close(file)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.argv, sys.path[0] = asked["arguments"], asked["folder"]


def _serve() -> None:
    """Fork for each line that is read, and answer with the exit code."""
    for library in ("numpy", "pydantic", "pyproj", "shapely", "smart_open", "snakemake.report"):
        import_module(library)
    from snakemake.cli import get_argument_parser, main

    get_argument_parser()  # imports the plugins
    gc.freeze()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _become(json.loads(line))
            main()
            return
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    _serve()
