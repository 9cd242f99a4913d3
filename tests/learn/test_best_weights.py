"""The best weights of a run: as well guarded as its states, from the validation to the file that is published."""

import shutil

import pytest
from small_world import config, few_pairs, make_world, outcome, run, same

from terraform.errors import IntegrityError, ResourceError
from terraform.learn import validate as validation
from terraform.learn import weights
from terraform.learn.runtime import checkpoint

DAMAGES = {
    "a flipped bit": lambda best: best.write_bytes(best.read_bytes()[:-9] + b"!" + best.read_bytes()[-8:]),
    "cut short": lambda best: best.write_bytes(best.read_bytes()[:1000]),
    "zeros": lambda best: best.write_bytes(bytes(best.stat().st_size)),
    "gone": lambda best: best.unlink(),
}
SETTINGS = {"total_images": 8, "validate_every": 4, "checkpoint_metric": "l1", "learning_rate": 2e-3}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return make_world(tmp_path_factory.mktemp("pairs"))


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    few_pairs(monkeypatch)


@pytest.fixture(scope="module")
def finished(world, tmp_path_factory):
    """A run whose last validation was its best."""
    output = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        few_pairs(patch)
        assert run(world, output, config(**SETTINGS)).best_images == 8
    return output


def best_of(output):
    return sorted(path.name for path in output.glob("state/*/best-*"))


def test_only_what_a_kept_state_names_is_kept(finished):
    assert best_of(finished) == ["best-000000004.safetensors", "best-000000008.safetensors"]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_best_weights_are_never_published(world, finished, tmp_path, capsys, damage):
    """The run resumes from the state before them, and ends as if nothing had happened."""
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    (tmp_path / "weights.safetensors").unlink()
    DAMAGES[damage](next(tmp_path.glob("state/*/best-000000008.safetensors")))
    run(world, tmp_path, config(**SETTINGS))
    told = capsys.readouterr().out
    assert "best-000000008.safetensors is damaged: resuming from a state before it" in told
    assert "6 of 8 images seen" in told
    assert same(outcome(finished), outcome(tmp_path))


def test_where_no_best_weights_are_left_they_are_sought_anew(world, finished, tmp_path, capsys):
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    (tmp_path / "weights.safetensors").unlink()
    for best in tmp_path.glob("state/*/best-*"):
        best.write_bytes(b"")
    assert run(world, tmp_path, config(**SETTINGS)).best_images == 8
    assert "no state has its best weights: resuming from 8 images" in capsys.readouterr().out
    weights.load(tmp_path / "weights.safetensors")


def test_weights_that_break_on_their_way_are_not_published(world, finished, tmp_path, monkeypatch):
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    real = shutil.copyfile

    def copied(source, target):
        real(source, target)
        DAMAGES["a flipped bit"](target)

    before = (tmp_path / "weights.safetensors").read_bytes()
    monkeypatch.setattr(checkpoint.shutil, "copyfile", copied)
    with pytest.raises(IntegrityError, match=r"best-000000008\.safetensors is damaged: run the same command"):
        run(world, tmp_path, config(**SETTINGS))
    assert (tmp_path / "weights.safetensors").read_bytes() == before


def test_a_run_without_a_finite_validation_says_so(world, tmp_path, monkeypatch):
    monkeypatch.setattr(validation, "l1", lambda *drawn: float("nan"))
    with pytest.raises(IntegrityError, match=r"no validation of this run was finite.*lower train\.learning_rate"):
        run(world, tmp_path, config(**SETTINGS))
    assert not (tmp_path / "weights.safetensors").exists()


@pytest.mark.parametrize("size", ["8k", "200k", "900k"])
def test_training_on_a_full_disk_says_so_and_resumes(world, disk, size):
    """Wherever it is full: in the settings, a state, the best weights or those that are published."""
    small = disk(size)
    with pytest.raises(ResourceError, match="the disk is full") as full:
        run(world, small.folder / "m", config(**SETTINGS))
    assert full.value.exit_code == 5
    assert not [path for path in small.folder.rglob("*") if ".part-" in path.name]
    small.resize("20m")
    assert run(world, small.folder / "m", config(**SETTINGS)).images == 8
