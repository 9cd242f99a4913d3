"""What can go wrong in a run: numbers that are none, full memory, a second run, other pairs, signals."""

import hashlib
import os
import re
import resource
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from children import child_of, event, status_of
from small_world import config, few_pairs, make_world, run, run_in_child

from benchmarks.world import make_pairs
from terraform.errors import ConfigError, IntegrityError, ResourceError
from terraform.learn import train as training
from terraform.learn.data.dataset import collect
from terraform.learn.data.loader import BatchLoader, DeviceCache
from terraform.learn.runtime import lock
from terraform.learn.runtime.signals import Interrupted

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return make_world(tmp_path_factory.mktemp("pairs"))


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    few_pairs(monkeypatch)


@pytest.fixture(autouse=True)
def obeyed():
    """Signals that end a process are obeyed, also where the tests themselves run in the background (`nohup`, `&`)."""
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGHUP: signal.SIG_DFL, signal.SIGTERM: signal.SIG_DFL}
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def spoilt(monkeypatch, steps, seen):
    """Give some steps a target that is no number; `seen` gets a digest of everything learnt before and after each."""
    real = training.Trainer.step

    def step(self, batch, done, image):
        before = digest_of(self)
        if self.steps in steps:
            batch = batch._replace(imagery=batch.imagery.clone().index_fill_(2, torch.tensor([7]), float("nan")))
        real(self, batch, done, image)
        seen.append((before, digest_of(self)))

    monkeypatch.setattr(training.Trainer, "step", step)


def digest_of(trainer):
    named = trainer.tensors()
    learnt = [name for name in sorted(named) if not name.startswith(("tally", "rng")) and "num_batches" not in name]
    return hashlib.sha256(b"".join(named[name].numpy().tobytes() for name in learnt)).hexdigest()


@pytest.mark.parametrize(
    "over",
    [
        {},
        {"network": "unet256", "norm": "batch", "discriminator": "patch70", "lambda_feature_matching": 0},
        {"discriminator": "none"},
    ],
)
def test_a_step_without_numbers_changes_nothing_and_is_counted(world, tmp_path, monkeypatch, over):
    seen = []
    spoilt(monkeypatch, {2, 3}, seen)
    state = run(world, tmp_path, config(**over))
    assert [before == after for before, after in seen[1:]] == [False, True, True, False, False]
    assert sum(row.skipped for row in state.history) == 2
    assert all(np.isfinite(row.g_l1) for row in state.history if not row.skipped)


def test_many_in_a_row_end_the_run_with_a_diagnosis(world, tmp_path, monkeypatch):
    spoilt(monkeypatch, range(2, 99), [])
    with pytest.raises(IntegrityError, match=r"3 steps in a row, from image 4 on \(pairs one \d") as stopped:
        run(world, tmp_path, config(max_bad_steps=3, total_images=24))
    assert stopped.value.exit_code == 6
    assert re.search(r"norms of the gradients: generator (nan|[\d.]+), discriminator nan", str(stopped.value))
    last = max(tmp_path.glob("state/*/images-*.safetensors"))
    assert last.name == "images-000000008.safetensors"  # saved before the third; nothing in it is no number
    from safetensors.torch import load_file

    assert all(tensor.isfinite().all() for name, tensor in load_file(last).items() if name != "tally")


def test_few_in_a_row_now_and_then_do_not(world, tmp_path, monkeypatch):
    spoilt(monkeypatch, {1, 2, 4, 5}, [])
    run(world, tmp_path, config(max_bad_steps=3, total_images=14))


@pytest.mark.skipif(not Path("/proc/self/statm").is_file(), reason="the limit is set from what Linux tells")
def test_full_memory_says_what_would_fit(world, tmp_path):
    """A batch that is too large for a limit names another, and that one is learnt from under the same limit."""
    told = re.fullmatch(
        r"the memory is full at batch 64: \d+\.\d GB were in use, an image takes 0\.\d\d GB: set train\.batch to (\d+)"
        r", or lower train\.width",
        limited(world, tmp_path, 64),
    )
    assert told and 4 <= int(told[1]) < 64
    assert limited(world, tmp_path, int(told[1])) == "done"


def trains_within(room, said, world, output, settings):
    """Train in no more memory than there is already and so many bytes, and write down how that ends."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * os.sysconf("SC_PAGE_SIZE") + room, resource.RLIM_INFINITY))
    try:
        run_in_child(world, output, settings)
        said.write_text("done")
    except ResourceError as full:
        said.write_text(str(full))


def limited(world, folder, batch):
    """What a run says that may take one and a half gigabytes more than there are already."""
    said, settings = folder / f"said-{batch}", config(batch=batch, total_images=batch, width=16)
    assert status_of(child_of(trains_within, 3 << 29, said, world, folder / str(batch), settings)) == 0
    return said.read_text()


@pytest.mark.parametrize(("batch", "what"), [(1, "use a smaller train.width"), (2, "one image does not fit either")])
def test_what_is_too_large_for_one_image(world, tmp_path, monkeypatch, batch, what):
    def step(self, *given):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(training.Trainer, "step", step)
    with pytest.raises(ResourceError, match=what) as full:
        run(world, tmp_path, config(batch=batch))
    assert full.value.exit_code == 5


def test_a_real_allocation_that_fails_is_understood(world, tmp_path, monkeypatch):
    monkeypatch.setattr(training.Trainer, "step", lambda self, *batch: torch.empty(2**50))
    with pytest.raises(ResourceError, match=r"one image does not fit either"):
        run(world, tmp_path, config())


def test_other_errors_are_not_taken_for_memory(world, tmp_path, monkeypatch):
    monkeypatch.setattr(training.Trainer, "step", lambda self, *batch: torch.zeros(2) @ torch.zeros(3))
    with pytest.raises(RuntimeError, match=r"inconsistent|size"):
        run(world, tmp_path, config())


def test_a_second_run_in_the_folder_is_refused(world, tmp_path):
    told = f"in use by process {os.getpid()} on .*since"
    with lock.exclusive_run(tmp_path), pytest.raises(ResourceError, match=told):
        run(world, tmp_path, config())
    run(world, tmp_path, config(total_images=2))


def holds(folder, held):
    with lock.exclusive_run(folder):
        held.set()
        signal.pause()


def test_a_killed_holder_holds_no_longer(tmp_path):
    held = event()
    child = child_of(holds, tmp_path, held)
    held.wait()
    with pytest.raises(ResourceError, match=f"process {child.pid} "), lock.exclusive_run(tmp_path):
        pass
    child.kill()
    child.join()
    with lock.exclusive_run(tmp_path):
        pass


def batches_of(world, settings):
    loader = BatchLoader(collect(world["train"]), settings, CPU)
    return [
        hashlib.sha256(b"".join(part.numpy().tobytes() for part in fed.batch)).digest() for fed in loader.batches(4)
    ]


def test_batches_do_not_depend_on_who_reads_them(world):
    alone = batches_of(world, config(workers=0))
    assert len(set(alone)) == 4
    assert batches_of(world, config(workers=2)) == alone
    assert batches_of(world, config(workers=8)) == alone


def test_pairs_kept_on_the_device_are_those_on_disk(world):
    collection = collect(world["train"])
    chosen = np.array([3, 0, 5])
    for kept, read in zip(DeviceCache(collection, CPU).read(chosen), collection.read(chosen), strict=True):
        assert torch.equal(kept, read)


def test_other_pairs_are_not_resumed(world, tmp_path):
    run(world, tmp_path / "out", config(total_images=2))
    other = {"train": [make_pairs(tmp_path / "one", 5)], "validation": world["validation"]}
    with pytest.raises(ConfigError, match=r"pairs.train.one was \[.*, 6\] and is \[.*, 5\]"):
        run(other, tmp_path / "out", config(total_images=2), resume=True)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)])
def test_signals_save_and_the_run_goes_on(world, tmp_path, monkeypatch, number, code):
    real = training.Trainer.step
    with monkeypatch.context() as patch:

        def step(self, *batch):
            os.kill(os.getpid(), number)
            real(self, *batch)

        patch.setattr(training.Trainer, "step", step)
        with pytest.raises(Interrupted) as stopped:
            run(world, tmp_path, config(checkpoint_every=1000))
    assert stopped.value.exit_code == code
    assert [path.name for path in tmp_path.glob("state/*/images-*.safetensors")] == ["images-000000002.safetensors"]
    assert run(world, tmp_path, config(checkpoint_every=1000), resume=True).images == 12


def test_a_second_ctrl_c_aborts():
    from terraform.learn.runtime.signals import deferred_signals

    with pytest.raises(KeyboardInterrupt), deferred_signals() as received:
        os.kill(os.getpid(), signal.SIGINT)
        assert received == [signal.SIGINT]
        os.kill(os.getpid(), signal.SIGINT)


def test_what_is_ignored_stays_ignored(monkeypatch):
    """`nohup` has a closed terminal ignored, so that a training outlives it."""
    from terraform.learn.runtime.signals import deferred_signals

    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with deferred_signals() as received:
            os.kill(os.getpid(), signal.SIGHUP)
        assert received == [] and signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
