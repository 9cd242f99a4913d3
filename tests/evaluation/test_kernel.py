"""Kernel distance and the encoder: unbiased, deterministic, kept; what is worse is further away."""

import pytest
import torch
from damaged_pictures import DAMAGES, land
from safetensors import safe_open

from benchmarks.world import make_pairs
from terraform.evaluation.judges.encoder import Encoder, encoder_of
from terraform.evaluation.judges.learning import lesson_of
from terraform.evaluation.kernel import kernel_distance
from terraform.learn.data.dataset import collect


def test_sets_of_one_kind_are_at_no_distance():
    draw = torch.Generator().manual_seed(0)
    sets = [torch.randn(60, 4, 20, generator=draw) for _ in range(12)]
    found = torch.tensor([kernel_distance(a, b).value for a, b in zip(sets[::2], sets[1::2], strict=True)])
    assert found.min() < 0 < found.max()  # unbiased: on either side of 0
    assert found.abs().max() < 0.1 * kernel_distance(sets[0] + 1, sets[1]).value


def test_the_further_apart_the_larger():
    draw = torch.Generator().manual_seed(0)
    one, other = (torch.randn(40, 4, 20, generator=draw) for _ in range(2))
    found = [kernel_distance(one + 0.2 * step, other).value for step in range(5)]
    assert found == sorted(found)


def test_a_tile_is_never_compared_with_itself():
    one = torch.randn(6, 1, 8, generator=torch.Generator().manual_seed(0))
    changed = one.clone()
    assert kernel_distance(one, changed).value == pytest.approx(0, abs=1e-9)
    twice = kernel_distance(one, -one).replicate(torch.eye(6)[:2].sum(0, keepdim=True).numpy())[0]
    assert twice == pytest.approx(kernel_distance(one[:2], -one[:2]).value)


@pytest.fixture(scope="module")
def taught(tmp_path_factory):
    folder = tmp_path_factory.mktemp("taught")
    collection = collect([make_pairs(folder / "one", 4)])
    lesson = lesson_of(collection)
    lesson = lesson._replace(imagery=((land(4, 5) + 1) * 127.5).byte().permute(0, 2, 3, 1))
    return folder, collection, lesson, encoder_of(folder / "encoder.safetensors", collection, lesson, 6, 0)


@pytest.mark.parametrize("damage", ["blur", "recolour", "lattice", "constant"])
def test_what_is_worse_is_further_away(taught, real, damage):
    encoder = taught[3]
    theirs = encoder.features(real)
    found = [kernel_distance(encoder.features(DAMAGES[damage](real, s)), theirs).value for s in (1, 2, 3)]
    assert 0 < found[0] < found[1] < found[2]


def test_features_are_standard_on_what_was_learnt_from(taught):
    _, _, lesson, encoder = taught
    found = encoder.features(lesson.imagery.permute(0, 3, 1, 2) / 127.5 - 1)
    assert found.shape == (4, 4, 416)
    assert found.flatten(0, 1).mean(0).abs().max() < 1e-2


def test_the_encoder_is_kept_with_its_licence_and_read_again(taught, monkeypatch):
    folder, collection, lesson, encoder = taught
    with safe_open(folder / "encoder.safetensors", "pt") as file:
        assert file.metadata()["LICENCE"] == collection.provenance.licence
    monkeypatch.setattr("terraform.evaluation.judges.encoder._learn", None)  # would fail if it learnt
    again = encoder_of(folder / "encoder.safetensors", collection, lesson, 6, 0)
    assert all(
        torch.equal(a, b) for a, b in zip(encoder.state_dict().values(), again.state_dict().values(), strict=True)
    )


def test_other_pairs_another_number_of_steps_and_damage_teach_anew(taught, tmp_path):
    folder, collection, lesson, encoder = taught
    path = tmp_path / "encoder.safetensors"
    path.write_bytes(b"damaged")
    same = encoder_of(path, collection, lesson, 6, 0)
    assert torch.equal(same.head.weight, encoder.head.weight)  # the same numbers in every run
    other = encoder_of(folder / "encoder.safetensors", collection, lesson, 5, 0)
    assert not torch.equal(other.head.weight, encoder.head.weight)


def test_other_code_teaches_anew(taught, tmp_path, monkeypatch):
    _, collection, lesson, _ = taught
    path, learnt = tmp_path / "encoder.safetensors", []
    monkeypatch.setattr("terraform.evaluation.judges.encoder._learn", lambda *given: learnt.append(given))
    for code in ("one", "one", "another"):
        monkeypatch.setattr("terraform.evaluation.judges.learning.code_digest", lambda modules, code=code: code)
        encoder_of(path, collection, lesson, 1, 0)
    assert len(learnt) == 2


def test_learning_leaves_the_random_numbers_of_others_alone(taught, tmp_path):
    _, collection, lesson, _ = taught
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    encoder_of(tmp_path / "encoder.safetensors", collection, lesson, 1, 0)
    assert torch.equal(torch.rand(1), expected)


def test_an_encoder_is_no_inception():
    assert sum(p.numel() for p in Encoder().parameters()) < 200_000
