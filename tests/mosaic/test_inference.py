"""The generator in windows: the same pixels whatever the windows, and blended windows that sum to one picture."""

import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from exact import MADE, PLAIN, Hills, Same, picture, trained
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from terraform.config import Climate, Condition, Mosaics, Sheet, Train
from terraform.geo.bodies import MARS
from terraform.geo.tile_spec import TileSpec
from terraform.learn import weights
from terraform.learn.models.generators import UNetFc, build_generator
from terraform.learn.weights import TrainedGenerator, set_inference_mode
from terraform.mosaic import inference as generate
from terraform.mosaic import windows
from terraform.mosaic.bands import Band, GlobalGrid, strips
from terraform.mosaic.inference import Predictor, draw, relief_batch
from terraform.mosaic.terrain import TerrainWindow
from terraform.mosaic.windows import plan
from terraform.pairs.relief import channels_of, encode


class Tiny(nn.Module):
    """Stride 4, receptive radius 11: a convolution of stride 4 (7 px), 3 x 3 on its pixels, nearest enlargement."""

    def __init__(self, channels):
        super().__init__()
        self.down = nn.Conv2d(channels, 6, 8, 4, 2)
        self.middle = nn.Conv2d(6, 3, 3, 1, 1)

    def forward(self, x):
        return torch.tanh(F.interpolate(self.middle(torch.relu(self.down(x))), scale_factor=4, mode="nearest"))


def levels(a, b):
    return int(np.abs(a.astype(int) - b.astype(int)).max())


@given(
    st.tuples(st.integers(-5000, 5000), st.integers(1, 3000)),
    st.tuples(st.integers(-5000, 5000), st.integers(1, 9000)),
    st.sampled_from([256, 512, 1024]),
    st.sampled_from([(0, 1), (16, 4), (96, 16), (112, 16)]),
)
def test_plan_covers_with_snapped_windows(rows, columns, window_px, network):
    halo_px, stride = network
    rows, columns = (rows[0], sum(rows)), (columns[0], sum(columns))
    made = plan(rows, columns, window_px, halo_px, stride)
    assert made.halo >= halo_px and made.halo % stride == 0
    for spans, span in ((made.rows, rows), (made.columns, columns)):
        assert spans[0][0] <= span[0] < spans[0][0] + stride and spans[-1][1] - stride < span[1] <= spans[-1][1]
        assert all(a[1] == b[0] for a, b in pairwise(spans))
        assert all(edge % stride == 0 for part in spans for edge in part)
    tallest, widest = (max(b - a for a, b in spans) + 2 * made.halo for spans in (made.rows, made.columns))
    assert tallest * widest <= max(window_px**2, (2 * made.halo + stride) * tallest)


def test_all_bands_of_mars_cost_little_more_than_once():
    """With the default windows: the halo of the default network, and the ramps of one that is not safe to tile."""
    default, globe = UNetFc, GlobalGrid(MARS.radius_m)
    bands = [strip for strip in strips(globe, default.stride) if isinstance(strip, Band)]
    plans = [
        plan((band.first, band.last), (0, band.columns), Mosaics().window_px, default.halo_px, default.stride)
        for band in bands
    ]
    area = sum((band.last - band.first) * band.columns for band in bands)
    assert sum(map(windows.drawn_px, plans)) / area <= 1.6


def test_ramps_cost_a_third_more_than_windows_side_by_side():
    step = TileSpec().tile_px - windows.RAMP_PX
    ours = bare = 0
    for band in strips(GlobalGrid(MARS.radius_m), step):
        if isinstance(band, Band):
            down = windows.ramped((band.first, band.last), band.first - windows.RAMP_PX, TileSpec().tile_px)
            ours += len(down) * len(windows.ramped((0, band.columns), 0, TileSpec().tile_px))
            bare += -(-(band.last - band.first) // 256) * -(-band.columns // 256)
    assert 1 < ours / bare <= 1.35


def test_an_instance_norm_is_not_safe_to_tile(tmp_path):
    for norm in ("batch", "instance"):
        train = Train(network="unet_fc", width=4, norm=norm, noise=0)
        weights.save(tmp_path / "w.safetensors", build_generator(train, 1), PLAIN, Sheet(), train, MADE)
        assert weights.load(tmp_path / "w.safetensors").tile_safe == (norm == "batch")


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_folded_statistics_change_nothing(precision):
    train = Train(network="unet_fc", norm="batch", width=4, noise=2)
    channels = channels_of(Condition()) + 2
    network = lively(build_generator(train, channels), channels)
    made = TrainedGenerator(network.eval(), Condition(), Sheet(), train, MADE, 16, 112, True)
    seen = (torch.rand(1, channels, 96, 64) * 2 - 1) / 3  # as widely as a condition spreads
    with torch.inference_mode():
        plain = network(seen)
    ours = Predictor(made, Mosaics(precision=precision)).forward(seen)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in Predictor(made, Mosaics()).network.modules())
    assert float((ours - plain).abs().max()) * 127.5 < (0.01 if precision == "fp32" else 3)


def test_windows_are_256_at_most_where_they_must_be():
    made = plan((0, 700), (0, 4000), 1024, 112, 16)
    assert len(made.rows) == 1 and len(made.columns) >= 4


@settings(max_examples=5, deadline=None)
@given(st.integers(-70, 70), st.integers(-70, 70))
def test_tiny_network_draws_the_same_in_any_window(top, left):
    torch.manual_seed(1)
    made = trained(Tiny(1), stride=4, halo_px=12)
    whole = picture(made, Hills(), (-80, 300), (-80, 420), 2048)
    rows, columns = (top, top + 200), (left, left + 233)
    part = picture(made, Hills(), rows, columns, 256)
    assert levels(part, whole[rows[0] + 80 : rows[1] + 80, columns[0] + 80 : columns[1] + 80]) <= 1


def test_a_halo_that_is_too_small_is_seen():
    """The guard of the test before: without its halo the network does not agree with itself."""
    torch.manual_seed(1)
    whole, parts = (picture(trained(Tiny(1), stride=4), Hills(), (0, 400), (0, 600), px) for px in (2048, 256))
    assert levels(whole, parts) > 1


def lively(network, channels):
    """Random weights with the statistics of what it saw, and an output that uses the range."""
    torch.manual_seed(3)
    network.train()
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim == 4:
                parameter.mul_(0.2 / parameter.std())
        for _ in range(20):
            network(torch.randn(2, channels, 64, 64))
    return network


@pytest.mark.parametrize(("name", "norm"), [("unet_fc", "pixel"), ("unet_fc", "batch"), ("cnn", "batch")])
def test_real_network_draws_the_same_in_512_and_1024_windows(name, norm):
    train = Train(network=name, norm=norm, width=4, noise=2)
    condition = Condition()
    channels = channels_of(condition) + 2
    network = lively(build_generator(train, channels), channels)
    made = TrainedGenerator(
        network.eval(), condition, Sheet(), train, MADE, type(network).stride, type(network).halo_px, True
    )
    large, small = (picture(made, Hills(), (3, 330), (-21, 420), px) for px in (1024, 512))
    assert large[..., :3].std() > 20
    assert levels(large, small) <= 1


def test_void_is_masked_and_nothing_else():
    mask = picture(trained(Same()), Hills(), (0, 200), (200, 420), 256)[..., 3]
    y, x = np.arange(200)[:, None], np.arange(200, 420)[None]
    np.testing.assert_array_equal(mask == 0, (x - 300) ** 2 + (y - 60) ** 2 < 400)


def test_blended_windows_are_a_partition_of_unity():
    """With a network that repeats its condition, the blend is the condition."""
    made = trained(Same(), stride=256, tile_safe=False)
    terrain = Hills()
    blended = picture(made, terrain, (-30, 410), (70, 777), 1024)
    exact = picture(trained(Same()), Hills(), (-30, 410), (70, 777), 1024)
    assert levels(blended, exact) <= 1
    assert {(b - a - 128) for rows, columns in terrain.asked for a, b in (rows, columns)} == {256}


def test_unet256_as_published_draws_what_it_drew_before():
    train = Train(network="unet256", norm="batch", width=4, noise=0)
    network = build_generator(train, 1)
    made = TrainedGenerator(set_inference_mode(network, train), PLAIN, Sheet(), train, MADE, 256, 0, False)
    assert network.training
    first = picture(made, Hills(), (0, 200), (0, 300), 1024)
    torch.rand(7)
    assert levels(first, picture(made, Hills(), (0, 200), (0, 300), 1024)) == 0
    assert levels(first[:, 100:], picture(made, Hills(), (0, 200), (100, 300), 512)) == 0


@pytest.mark.parametrize("turn_deg", [0, 90, 217])
def test_the_sun_turns_with_the_window(turn_deg):
    """A slope towards local east is as bright in a window that is turned."""
    condition = Condition(channels=["hillshade"], resolution_m=0)
    angle = np.radians(turn_deg)
    right, up = np.cos(angle), np.sin(angle)
    y, x = np.mgrid[:160, :160].astype(np.float32)
    eastwards = 20 * (x * right - y * up)
    nothing = np.zeros(x.shape, bool)
    east = tuple(np.full((1, 1), part, np.float32) for part in (right, up))
    patch = TerrainWindow(
        eastwards.astype(np.float32), nothing, nothing, np.full((1, 1), 30, np.float32), east, y[:, 0], x[0]
    )
    shade = encode(relief_batch(patch, 200.0, 10.5, Climate()), condition, Sheet())
    straight = patch._replace(metres=20 * x, east=(np.ones((1, 1), np.float32), np.zeros((1, 1), np.float32)))
    expected = encode(relief_batch(straight, 200.0, 10.5, Climate()), condition, Sheet())
    torch.testing.assert_close(shade, expected, atol=1e-4, rtol=0)


def test_no_gdal_is_needed():
    absent = ["rasterio", "osgeo", "geopandas", "shapely", "pyproj", "pyarrow", "PIL", "pystac", "matplotlib"]
    names = ["bands", "policy", "inference", "elevation", "terrain", "output.metadata", "array"]
    program = f"import sys\nfor n in {absent!r}: sys.modules[n] = None\n" + "".join(
        f"import terraform.mosaic.{name}\n" for name in names
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("tile_safe", [True, False])
def test_holes_are_given_back_after_each_block(monkeypatch, tile_safe):
    limits = []
    monkeypatch.setattr(generate, "give_back", limits.append)
    predictor = Predictor(trained(Same(), tile_safe=tile_safe), Mosaics(window_px=256, device="cpu"))
    blocks = list(draw(predictor, Hills(), (0, 500), (0, 500)))
    assert len(blocks) > 1 and limits == [2.5e9] * len(blocks)
