"""Networks: sizes, receptive fields, and that windows agree."""

import pytest
import torch

from terraform.config import Train
from terraform.learn import weights
from terraform.learn.models.discriminators import build_discriminator
from terraform.learn.models.generators import build_generator
from terraform.learn.models.layers import ResizeConv2d

SAFE = [("cnn", "batch"), ("unet_fc", "batch"), ("unet_fc", "pixel"), ("added", "pixel"), ("scales", "pixel")]


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
