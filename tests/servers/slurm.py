"""SLURM of one machine that poses as larger, in namespaces of its own.

Its `/etc/slurm`, `/run` and process ids are seen by nobody else, so that a SLURM which is configured here stays as it
is, and nothing is left when the tests' own process dies, however that happens: the first process of the namespace is
killed with it, and the kernel kills all others.
"""

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from servers.processes import Running, free_port, program

_NODE = "planet"
_CONFIG = """
ClusterName=test
SlurmctldHost={node}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
JobCompType=jobcomp/none
ReturnToService=2
MinJobAge=3600
StateSaveLocation={run}/state
SlurmdSpoolDir={run}/spool
SlurmctldPidFile={run}/slurmctld.pid
SlurmdPidFile={run}/slurmd.pid
SlurmctldLogFile={run}/slurmctld.log
SlurmdLogFile={run}/slurmd.log
GresTypes=gpu
SlurmdParameters=config_overrides
NodeName={node} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory_mb} Gres=gpu:2 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""
_UP = """
set -eu
cd {run}
hostname {node}
mount --bind {run}/hosts /etc/hosts
mkdir -p /etc/slurm
mount -t tmpfs tmpfs /etc/slurm
mount -t tmpfs tmpfs /run
mkdir /run/munge
cp slurm.conf gres.conf /etc/slurm
munged --force --key-file={run}/key --log-file={run}/munged.log --pid-file={run}/munged.pid --seed-file={run}/seed
slurmctld
slurmd -N {node}
touch up
exec sleep infinity
"""
_GPUS = ("/dev/zero", "/dev/null")
_PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch")


class Slurm(NamedTuple):
    """A running SLURM: the first process of its namespaces, and the folder of its logs."""

    init: int
    run: Path

    def inside(self, command: Sequence[str], folder: Path) -> list[str]:
        """Wrap a command line so that it runs where this SLURM is seen."""
        return ["nsenter", f"--target={self.init}", "--all", f"--wd={folder}", "--", *command]

    def ask(self, *command: str) -> str:
        """What one of SLURM's programs answers."""
        return subprocess.run(self.inside(command, self.run), check=True, capture_output=True, text=True).stdout

    def jobs(self) -> list[dict[str, str]]:
        """What is known of each job, in the order in which they were submitted: "JobId", "Comment", "JobState", ..."""
        lines = self.ask("scontrol", "show", "job", "--oneliner").splitlines()
        return [dict(word.split("=", 1) for word in line.split() if "=" in word) for line in lines if "JobId=" in line]

    def said(self) -> str:
        """What the daemons wrote, for a failure's message."""
        return "\n".join(path.read_text(errors="replace")[-4000:] for path in sorted(self.run.glob("*.log")))


@contextmanager
def slurm(run: Path, cpus: int = 4, memory_mb: int = 16_000) -> Iterator[Slurm]:
    """Bring up SLURM with one node and two pretended GPUs, until the block ends.

    Parameters
    ----------
    run : Path
        A folder for its own files.
    cpus, memory_mb : int
        What the node says that it has.
    """
    for name in _PROGRAMS:
        program(name)
    if os.getuid() != 0:
        pytest.skip("only root can give SLURM namespaces of its own")
    _write(run, cpus, memory_mb)
    running = Running(run)
    try:
        spaces = ["--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child", "--mount-proc"]
        running.start(["unshare", *spaces, "bash", "up.sh"])
        yield _ready(running, run)
    finally:
        running.stop()


def _write(run: Path, cpus: int, memory_mb: int) -> None:
    (run / "state").mkdir(parents=True)
    (run / "spool").mkdir()
    ports = free_port(), free_port()
    given = {"run": run, "node": _NODE, "ports": ports, "cpus": cpus, "memory_mb": memory_mb}
    (run / "slurm.conf").write_text(_CONFIG.format(**given))
    (run / "gres.conf").write_text("".join(f"NodeName={_NODE} Name=gpu File={device}\n" for device in _GPUS))
    (run / "hosts").write_text(f"127.0.0.1 localhost {_NODE}\n")
    (run / "up.sh").write_text(_UP.format(**given))
    (run / "key").write_bytes(os.urandom(128))
    (run / "key").chmod(0o400)


def _ready(running: Running, run: Path) -> Slurm:
    end = time.monotonic() + 60
    while running.alive and time.monotonic() < end:
        if (run / "up").exists():
            server = Slurm(_first_child(running.pids[0]), run)
            if "idle" in server.ask("sinfo", "--noheader", "--format=%t"):
                return server
        time.sleep(0.1)
    logs = "\n".join(path.read_text(errors="replace") for path in sorted(run.glob("*.log")))
    raise RuntimeError(f"SLURM does not start:\n{running.said()}\n{logs}")


def _first_child(pid: int) -> int:
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])
