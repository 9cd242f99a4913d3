"""Relief recoverability: a ceiling, a floor, and what lies between."""

import pytest
import torch
import torch.nn.functional as F

from benchmarks.world import make_pairs
from terraform.evaluation.judges.learning import Lesson
from terraform.evaluation.judges.recoverability import high_pass, reader_of, recoverability
from terraform.learn.data.dataset import collect


def relief(count, seed):
    """Heights (N, 128, 128), metres: hills of some kilometres on a broad slope."""
    cells = torch.randn(count, 1, 16, 16, generator=torch.Generator().manual_seed(seed)) * 200
    hills = F.interpolate(cells, (128, 128), mode="bicubic")[:, 0]
    return hills + torch.linspace(0, 3000, 128)


def lit(metres):
    """Imagery of heights under a sun in the west, (N, H, W, 3) uint8."""
    slope = torch.diff(metres, dim=2, append=metres[:, :, -1:])
    grey = (120 - slope).clamp(1, 255)
    return torch.stack([grey, grey * 0.8, grey * 0.6], 3).byte()


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reader")
    collection, metres = collect([make_pairs(folder / "one", 2)]), relief(16, 0)
    lesson = Lesson(lit(metres), metres.short(), torch.ones(16, 128, 128, dtype=torch.bool))
    return reader_of(folder / "reader.safetensors", collection, lesson, 60, 0)


def read(reader, imagery, metres):
    found = reader.read(imagery.permute(0, 3, 1, 2) / 127.5 - 1)
    return recoverability(found, *high_pass(metres, torch.ones_like(metres, dtype=torch.bool), 200.0)).value


def test_real_imagery_is_the_ceiling_and_imagery_of_elsewhere_the_floor(reader):
    metres = relief(8, 1)
    ceiling, floor = (read(reader, lit(shown), metres) for shown in (metres, metres.roll(1, 0)))
    assert ceiling > 0.6 and abs(floor) < 0.2


def test_the_less_relief_shows_the_less_is_read(reader):
    metres = relief(8, 1)
    shown = lit(metres).float()
    flat = shown.mean((1, 2), keepdim=True)
    grain = 12 * torch.randn(shown.shape, generator=torch.Generator().manual_seed(0))
    found = [read(reader, (flat + (shown - flat) * (1 - s) + grain).clamp(1, 255), metres) for s in (0, 0.6, 0.9, 1)]
    assert found == sorted(found, reverse=True) and found[0] > found[-1] + 0.3


def test_another_colour_reads_as_much(reader):
    metres = relief(8, 1)
    red = lit(metres).float() + torch.tensor([30.0, 0.0, -30.0])
    assert read(reader, red.clamp(1, 255), metres) == pytest.approx(read(reader, lit(metres), metres), abs=0.05)


def test_broad_relief_and_sea_do_not_count():
    metres, land = relief(2, 0), torch.ones(2, 128, 128, dtype=torch.bool)
    slope = torch.linspace(0, 3000, 128).expand(2, 128, 128)
    broad, _ = high_pass(slope, land, 200.0)
    assert broad[..., 8:-8].abs().max() < 0.2 < high_pass(metres, land, 200.0)[0].abs().max()
    land[:, :64] = False
    found, known = high_pass(metres, land, 200.0)
    assert (found[:, :, :16] == 0).all() and (known[:, :, :16] == 0).all() and (known[:, :, 16:] == 1).all()


def test_correlation_of_a_constant_is_none():
    truth, known = torch.randn(3, 1, 8, 8), torch.ones(3, 1, 8, 8)
    assert recoverability(torch.zeros_like(truth), truth, known).value == 0
    assert recoverability(2 * truth + 1, truth, known).value == pytest.approx(1)
    assert recoverability(-truth, truth, known).value == pytest.approx(-1)
