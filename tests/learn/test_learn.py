"""Networks, order, losses, metrics, weights: what training rests on."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from terraform.config import Condition, Sheet, Train
from terraform.errors import InputError
from terraform.learn import baseline as table
from terraform.learn import metrics, weights
from terraform.learn.data import sampling as order
from terraform.learn.data.dataset import StoredPairs
from terraform.learn.models import losses
from terraform.learn.models.discriminators import build_discriminator
from terraform.learn.models.generators import build_generator
from terraform.learn.models.layers import ResizeConv2d
from terraform.pairs.relief import channels_of
from terraform.pairs.store import BASE_SHAPE
from terraform.provenance import Credit, Provenance

SAFE = [("cnn", "batch"), ("unet_fc", "batch"), ("unet_fc", "pixel"), ("added", "pixel"), ("scales", "pixel")]
MADE = Provenance((Credit("sample", "CC0-1.0", "synthetic", True),), {"pairs": 1, "regions": ["a"]})


def generator(network, norm="pixel", width=8, channels=5):
    """Of a name, or `unet_fc` that adds to base colours, without noise or with noise at every scale."""
    torch.manual_seed(1)
    own = {"network": network}
    if network in ("added", "scales"):
        own = {"network": "unet_fc", "base": "added", "noise": int(network == "scales"), "noise_at": "scales"}
    return build_generator(Train(width=width, norm=norm, **own), channels).eval()


@pytest.mark.parametrize(("network", "norm"), [*SAFE, ("unet256", "batch"), ("unet256", "instance")])
def test_colours_have_the_condition_s_size(network, norm):
    drawn = generator(network, norm)(torch.randn(1, 5, 256, 256))
    assert drawn.shape == (1, 3, 256, 256)
    assert drawn.abs().max() <= 1


def test_published_sizes():
    published = build_generator(Train(network="unet256", norm="batch"), 3)
    assert weights.parameters_of(published) == pytest.approx(54_413_955, rel=1e-3)
    patch = build_discriminator(Train(discriminator="patch70", adversarial="bce"), 3)
    assert weights.parameters_of(patch) == pytest.approx(2_768_705, rel=0.002)
    assert patch(torch.zeros(1, 6, 256, 256))[0][-1].shape == (1, 1, 30, 30)


def test_resize_convolution_is_enlarging_then_convolving():
    torch.manual_seed(0)
    layer, small = ResizeConv2d(5, 7, 3).double(), torch.randn(2, 5, 6, 9, dtype=torch.float64)
    large = torch.nn.functional.interpolate(small, scale_factor=2, mode="nearest")
    plain = torch.nn.functional.conv2d(large, layer.weight, layer.bias, padding=1)
    assert torch.allclose(layer(small), plain, atol=1e-12)
    mine, theirs = (torch.autograd.grad((y**2).sum(), layer.weight)[0] for y in (layer(small), plain))
    assert torch.allclose(mine, theirs, atol=1e-10)


@pytest.mark.parametrize(("network", "norm"), SAFE)
def test_the_halo_holds_the_whole_receptive_field(network, norm):
    """The gradient of one stride of pixels vanishes outside the halo around it."""
    net = generator(network, norm)
    for parameter in net.parameters():
        parameter.data.abs_().mul_(0.05)  # tanh must not saturate
    side = 512
    seen = torch.full((1, 5, side, side), 1e-9, dtype=torch.float64, requires_grad=True)
    first = side // 2
    net.double()(seen)[0, :, first : first + net.stride, first : first + net.stride].sum().backward()
    touched = seen.grad[0].abs().sum(0).nonzero()
    assert touched.min() >= first - net.halo_px
    assert touched.max() < first + net.stride + net.halo_px


@pytest.mark.parametrize(("network", "norm"), SAFE)
def test_a_pixel_is_the_same_in_whatever_window(network, norm):
    net = generator(network, norm)
    seen = torch.randn(1, 5, 544, 544)
    halo, stride = -(-net.halo_px // net.stride) * net.stride, net.stride
    with torch.no_grad():
        large, small = net(seen), net(seen[..., stride : stride + 2 * halo + 64, stride : stride + 2 * halo + 64])
    inner = small[..., halo : halo + 64, halo : halo + 64]
    assert (large[..., stride + halo :, stride + halo :][..., :64, :64] - inner).abs().max() < 0.5 / 255


def test_a_pixel_s_norm_looks_at_nothing_else():
    net = generator("unet_fc", "pixel").train()
    seen = torch.randn(2, 5, 256, 256)
    with torch.no_grad():
        together = net(seen)
        assert torch.allclose(together[:1], net(seen[:1]), atol=1e-5)
        assert torch.equal(together, net.eval()(seen))


def test_noise_reaches_a_pixel_s_neighbours_only():
    net, seen = generator("unet_fc"), torch.randn(1, 5, 256, 256)
    changed = seen.clone()
    changed[:, 2:, 100, 100] += 5  # three of the five channels are noise
    with torch.no_grad():
        differs = (net(changed) != net(seen))[0].any(0).nonzero()
    assert len(differs)
    assert (differs - 100).abs().max() <= 2


@given(st.integers(0, 99), st.integers(1, 40), st.integers(0, 200))
@settings(max_examples=40, deadline=None)
def test_every_epoch_shows_every_pair_once(seed, size, first_epoch):
    chosen = order.sample_indices(seed, first_epoch * size, size, size)
    assert sorted(chosen) == list(range(size))


@given(st.lists(st.integers(1, 7), min_size=2, max_size=6))
@settings(max_examples=20, deadline=None)
def test_draws_do_not_depend_on_how_images_are_batched(batches):
    edges = np.cumsum([0, *batches])
    whole = order.augmentation_params(3, 0, int(edges[-1]))
    for first, last in pairwise(edges):
        for all_of_it, part in zip(whole, order.augmentation_params(3, int(first), int(last - first)), strict=True):
            assert (all_of_it[first:last] == part).all()


def test_texture_loss_sees_missing_texture_and_not_its_place():
    torch.manual_seed(0)
    rough, moved, smooth = torch.randn(2, 3, 128, 128) / 4, torch.randn(2, 3, 128, 128) / 4, torch.zeros(2, 3, 128, 128)
    valid = torch.ones(2, 1, 128, 128)
    assert losses.texture_loss(rough, rough, valid) == 0
    assert losses.texture_loss(moved, rough, valid) < 0.3 < 2 < losses.texture_loss(smooth, rough, valid)


def test_an_octave_is_halved_into_grain_and_what_is_broader():
    x = torch.arange(128)
    grain = torch.where((x[:, None] + x) % 2 == 0, 1.0, -1.0).expand(1, 3, 128, 128)
    fields = torch.sin(torch.pi / 2 * x + 0.4).expand(1, 3, 128, 128)
    for picture, finer in ((grain, True), (fields, False)):
        fine, coarse = losses._halves(picture)
        assert torch.allclose(fine + coarse, picture, atol=1e-6)
        assert (fine.square().mean() > 4 * coarse.square().mean()) == finer


def test_mean_colour_loss_asks_for_means_and_not_for_pixels():
    torch.manual_seed(0)
    real, valid = torch.rand(1, 3, 128, 128), torch.ones(1, 1, 128, 128)
    assert losses.mean_colour_loss(real.flip(2, 3).roll(64, 2).roll(64, 3), real, valid) < 0.02  # other pixels
    assert losses.mean_colour_loss(real + 0.1, real, valid) == pytest.approx(0.1, rel=1e-3)
    spoilt = torch.where(torch.arange(128) < 64, real + 9, real)
    assert losses.mean_colour_loss(spoilt, real, valid * (torch.arange(128) >= 64)) == 0


def test_masked_l1_leaves_voids_out():
    one, other = torch.zeros(1, 3, 4, 4), torch.ones(1, 3, 4, 4)
    valid = torch.zeros(1, 1, 4, 4)
    valid[..., :2] = 1
    other[..., 2:] = 9
    assert losses.masked_l1(one, other, valid) == 1
    assert metrics.l1(one, other, valid) == pytest.approx(127.5)


def test_metrics_know_the_same_from_the_other():
    torch.manual_seed(0)
    real = torch.randn(8, 3, 256, 256).clamp(-1, 1) / 3
    soft = torch.nn.functional.avg_pool2d(real, 3, 1, 1)
    assert metrics.sliced_wasserstein(real, real) == 0
    assert metrics.sliced_wasserstein(soft, real) > 100
    assert metrics.spectrum_distance(real, real) == 0
    assert metrics.spectrum_distance(soft, real) > 3
    lattice = real + 0.3 * torch.tensor([1.0, -1.0]).repeat(128)
    assert metrics.checkerboard(real)[2] < 3 < metrics.checkerboard(lattice)[2]


def test_colour_given_relief_asks_for_the_colours_of_a_place_not_for_its_pixels():
    torch.manual_seed(0)
    real = torch.rand(1, 3, 128, 128) / 4
    real[..., 64:] += 0.5  # the mountains of this world are bright
    kinds = torch.zeros(1, 128, 128, dtype=torch.int64)
    kinds[..., 64:] = 1
    turned, swapped = real.flip(2), real.flip(3)
    assert metrics.colour_given_relief(turned, real, kinds) < 0.01
    assert metrics.colour_given_relief(swapped, real, kinds) == pytest.approx(0.5 * 127.5, rel=0.02)
    assert metrics.colour_given_relief(real - 1, real, torch.full_like(kinds, -1)) == 0  # unknown ground


def test_kinds_of_terrain_are_told_by_height_steepness_and_knowledge():
    elevation = np.zeros((1, 384, 384), np.int16)
    elevation[:, :, 192:] = 3000
    elevation[:, :, 100:110] = -32768
    imagery, base = np.full((1, 256, 256, 3), 9, np.uint8), np.zeros((1, *BASE_SHAPE), np.uint8)
    kinds = table.terrain_classes(
        StoredPairs(*(torch.from_numpy(part) for part in (elevation, imagery, base)), torch.full((1, 384), 45.0))
    )
    assert kinds.shape == (1, 256, 256)
    low, cliff, high = kinds[0, 9, 120], kinds[0, 9, 127], kinds[0, 9, 140]
    assert len({int(kind) for kind in (low, cliff, high)}) == 3
    assert (kinds[:, :, 36:46] == -1).all() and (kinds[:, :, 48:] >= 0).all()


def test_spectrum_of_a_known_wave():
    x = torch.arange(256) / 256
    wave = torch.sin(2 * torch.pi * 20 * x).expand(1, 3, 256, 256) / 2
    assert int(np.argmax(metrics.spectrum_db(wave))) == 20


def test_weights_hold_their_own_configuration(tmp_path):
    condition, settings_ = Condition(channels=["elevation", "slope"]), Train(width=8, noise=1)
    net = build_generator(settings_, channels_of(condition) + 1).eval()
    weights.save(tmp_path / "w.safetensors", net, condition, Sheet(), settings_, MADE)
    trained = weights.load(tmp_path / "w.safetensors")
    seen = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert (trained.network(seen) == net(seen)).all()
    assert trained.condition == condition
    assert trained.provenance.licence == "CC0-1.0"


@pytest.mark.parametrize("damage", [b"", b"not weights at all", None])
def test_damaged_weights_are_refused(tmp_path, damage):
    path = tmp_path / "w.safetensors"
    if damage is not None:
        path.write_bytes(damage)
    with pytest.raises(InputError, match="train"):
        weights.load(path)


def test_weights_of_the_format_before_still_load():
    """A file of format 2, whose settings have their names of then."""
    trained = weights.load(Path(__file__).parent / "files/weights-format-2.safetensors")
    assert not trained.needs_base and trained.channels == 3
    assert (trained.settings.learning_rate, trained.settings.lambda_feature_matching) == (1e-3, 5)
    with torch.no_grad():
        drawn = trained.network(torch.linspace(-1, 1, 3 * 32 * 32).view(1, 3, 32, 32))
    expected = [-0.5663341, -0.3187461, -0.3139913, -0.3092220, -0.2869972, -0.1407309, -0.1304386, -0.1201194]
    assert drawn[0, :, ::9, ::9].flatten()[:8].tolist() == pytest.approx(expected, abs=1e-5)
