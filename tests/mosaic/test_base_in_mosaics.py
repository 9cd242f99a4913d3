"""Base colours in mosaics: the right colour at every place, without seams and without the lattice of their cells.

A network that repeats the base has an exact answer.
"""

from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch
from exact import (
    CLIP,
    PLAIN,
    SMALL_M,
    Same,
    adding,
    base_raster,
    colours,
    download,
    hills,
    levels_of,
    read,
    region_of,
    small_planet,
    trained,
)
from shapely.geometry import box

from terraform import provenance
from terraform.config import Elevation
from terraform.geo import spherical_spline
from terraform.geo.bodies import MARS
from terraform.geo.resample import Axis, Taps
from terraform.mosaic import any_raster, inputs
from terraform.mosaic.bands import GlobalGrid
from terraform.mosaic.base import choice
from terraform.mosaic.base.base_map import BaseMap
from terraform.mosaic.region import render_region
from terraform.pairs.smoothing import distance_px
from terraform.provenance import Credit, Provenance

SEA = CLIP.model_copy(update={"elevation": Elevation(policy="sea_level", shoreline_m=1900)})


MARS_DEGREES = "IAU_2015:49900"


pytestmark = pytest.mark.usefixtures("base_network")


def whole_body(cells, levels=colours):
    lon, lat = (np.arange(360 * cells) + 0.5) / cells - 180, 90 - (np.arange(180 * cells) + 0.5) / cells
    return BaseMap(np.rint(levels(lon[None], lat[:, None])).astype(np.uint8))


def of_mosaic(path, radius_m=SMALL_M):
    """The mosaic, its mask, and the longitude and latitude of its pixels."""
    picture, valid = read(path)
    globe = GlobalGrid(radius_m)
    assert picture.shape[:2] == (globe.rows, globe.columns)
    return picture, valid, globe.longitudes.centres()[None], globe.latitudes.centres()[:, None]


@pytest.mark.parametrize("origin", [(70.0, 178.0), (-89.9, -181.0), (89.9, 30.0), (0.2, 540.0)])
def test_axes_and_points_agree(origin):
    base = whole_body(2)
    lat, lon = Axis(origin[0], -0.004, 40), Axis(origin[1], 0.05, 60)
    on_axes = levels_of(base.on_axes(lat, lon))
    places = np.meshgrid(lon.centres(), np.clip(lat.centres(), -90, 90))
    assert np.abs(on_axes - levels_of(base.at_points(*places))).max() < 0.02
    assert np.abs(on_axes - np.moveaxis(colours(*places), -1, 0)).max() < 0.7


@pytest.mark.parametrize("pole", [90, -90])
def test_a_pole_has_one_colour_and_no_spokes(pole):
    """Cells of noise: there is no telling from where a pole is reached."""
    noise = np.random.default_rng(0).integers(0, 255, (360, 720, 6)).astype(np.uint8)
    base = BaseMap(noise)
    lon = np.linspace(-180, 180, 25)[None]
    at_pole = levels_of(base.at_points(lon, np.full(lon.shape, pole - np.sign(pole) * 1e-7)))
    assert np.ptp(at_pole, axis=2).max() < 3
    y, x = np.mgrid[-100:100, -100:100] + 0.5
    near = levels_of(base.at_points(np.degrees(np.arctan2(x, y)), np.sign(pole) * (90 - np.hypot(x, y) * 0.02)))
    assert np.isfinite(near).all() and np.abs(np.diff(near, axis=1)).max() < 10


def lattice(picture, period):
    """Power of steps between neighbouring pixels at the frequency of the cells, over that of frequencies beside it."""
    steps = np.abs(np.diff(picture, axis=-1)).mean(axis=-2)
    steps = steps[..., : steps.shape[-1] // period * period]
    power = np.abs(np.fft.rfft(steps - steps.mean(axis=-1, keepdims=True))) ** 2
    first = steps.shape[-1] // period
    beside = np.concatenate([power[..., first - 6 : first - 1], power[..., first + 2 : first + 7]], axis=-1)
    return power[..., first].mean() / beside.mean()


def test_no_lattice_of_cells_shows(tmp_path, monkeypatch):
    """A mosaic of flat relief and a smooth base, in cells of 41 pixels: a draft that takes the nearest cell fails."""
    rough = np.random.default_rng(0).normal(size=(720, 1440, 6))
    for axis in (0, 1):
        rough = sum(np.roll(rough, shift, axis) * np.exp(-(shift**2) / 4) for shift in range(-5, 6))
    levels = 127 + 30 * rough / rough.std()
    base = base_raster(tmp_path / "base.tif", MARS_DEGREES, 4, lambda lon, lat: np.clip(levels, 0, 255))
    region = region_of(box(0, -3, 14, 3))
    elevation = download(tmp_path / "e.tif", region, lambda lon, lat: 1000 + 0 * lon * lat)

    def pixels():
        render_region(
            Path("w"), elevation, region, tmp_path / "out", CLIP, resume=False, base=choice.chooser(str(base))
        )
        return np.moveaxis(read(tmp_path / "out/terraformed.tif")[0], -1, 0)

    cell_px = round(MARS.metres_per_degree / 4 / 200)
    assert lattice(pixels(), cell_px) < 4
    monkeypatch.setattr(spherical_spline, "spline_taps", nearest_taps)
    assert lattice(pixels(), cell_px) > 20


def nearest_taps(source, places):
    index = np.floor((places - source.origin) / source.step).astype(np.int64)[:, None]
    return Taps(index, np.ones(index.shape, np.float32))


def test_a_whole_planet_has_its_base_colours(tmp_path):
    """Bands, cross-fades, caps, poles and the antimeridian; land and sea each have their own, right up to the coast."""
    base = base_raster(tmp_path / "base.tif")
    any_raster.render_raster(Path("w"), small_planet(tmp_path / "e.tif"), tmp_path / "out.tif", SEA, base=str(base))
    picture, valid, lon, lat = of_mosaic(tmp_path / "out.tif")
    height = hills(lon, lat)
    expected = np.where(height[..., None] < 1900, colours(lon, lat)[..., 3:], colours(lon, lat)[..., :3])
    sea = torch.from_numpy(height < 1900)[None, None]
    from_coast = np.maximum(distance_px(sea, 20).numpy(), distance_px(~sea, 20).numpy())[0, 0]
    assert valid.all() and 0.3 < sea.numpy().mean() < 0.7 and (from_coast > 12).mean() > 0.5
    error = np.abs(picture - expected)
    # A cross-fade of two strips gives back fine power, and a coast is fine.
    assert error[from_coast > 12].max() <= 1.6 and (error[from_coast > 2] > 2).mean() < 0.002


class Black(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.gain = torch.nn.Parameter(-torch.ones(1))

    def forward(self, x):
        return self.gain.expand(len(x), 3, *x.shape[2:])


@pytest.mark.parametrize(("base", "shown"), [("added", [0x10, 0x40, 0x80]), ("channels", [0, 0, 0])])
def test_the_sea_is_shown_in_its_base_colours_whatever_the_network_draws(tmp_path, monkeypatch, base, shown):
    """A generator that adds to base colours has seen no ice on the sea."""
    drawn = trained(Black(), PLAIN, stride=4, halo_px=4, base=base)
    monkeypatch.setattr(inputs, "load_generator", lambda weights, settings: drawn)
    planet = small_planet(tmp_path / "e.tif", 0.4)
    any_raster.render_raster(Path("w"), planet, tmp_path / "out.tif", SEA, base="#104080")
    picture, valid, lon, lat = of_mosaic(tmp_path / "out.tif")
    height = hills(lon, lat)
    # Where two strips cross-fade, fine power is given back, and a coast is fine.
    assert (np.abs(picture[(height < 1850) & valid] - shown) > 1).mean() < 0.01
    assert (picture[(height > 1950) & valid] > 1).mean() < 0.01


def test_windows_and_regions_agree_to_the_pixel(tmp_path):
    base = str(base_raster(tmp_path / "base.tif", MARS_DEGREES, 12))
    region = region_of(box(178.5, 63.8, 181.5, 65.9))
    elevation = download(tmp_path / "e.tif", region)
    pictures = []
    for window_px in (256, 1024):
        settings = SEA.model_copy(update={"window_px": window_px})
        render_region(Path("w"), elevation, region, tmp_path / str(window_px), settings, base=choice.chooser(base))
        pictures.append(read(tmp_path / f"{window_px}/terraformed.tif")[0])
    assert np.abs(pictures[0] - pictures[1]).max() <= 1
    assert (pictures[0] != pictures[1]).mean() < 1e-3
    assert np.ptp(pictures[0]) > 20


def test_weights_without_a_base_draw_as_before(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(inputs, "load_generator", lambda weights, settings: trained(Same(), stride=4, halo_px=4))
    planet = small_planet(tmp_path / "e.tif", 0.4)
    any_raster.render_raster(Path("w"), planet, tmp_path / "one.tif", CLIP)
    any_raster.render_raster(Path("w"), planet, tmp_path / "two.tif", CLIP, base="#102030")
    assert "changes nothing" in capsys.readouterr().err
    assert (tmp_path / "one.tif").read_bytes() == (tmp_path / "two.tif").read_bytes()


def test_other_base_colours_draw_the_strips_anew(tmp_path):
    base = base_raster(tmp_path / "base.tif", MARS_DEGREES, 1)
    made = {}
    for name, given in (("a", str(base)), ("b", "#102030"), ("c", str(base))):
        chosen = choice.choose_base(given, adding(), MARS)
        made[name] = inputs.mosaic_fingerprint(Path("w"), base, adding(), CLIP, "here", base=chosen)
    assert made["a"] == made["c"] and made["a"] != made["b"]
    base_raster(tmp_path / "base.tif", MARS_DEGREES, 1, lambda lon, lat: colours(lon, lat) / 2)
    chosen = choice.choose_base(str(base), adding(), MARS)
    assert inputs.mosaic_fingerprint(Path("w"), Path("w"), adding(), CLIP, "here", base=chosen) != made["a"]


def test_the_licence_of_the_base_goes_into_the_mosaic(tmp_path):
    region = region_of(box(10, 20, 10.2, 20.2))
    elevation = download(tmp_path / "e.tif", region)
    base = base_raster(tmp_path / "base.tif", MARS_DEGREES, 1)
    for licence, made in (("LicenseRef-Unknown", None), ("CC-BY-NC-4.0", Credit("files", "CC-BY-NC-4.0", "a painter"))):
        if made:
            provenance.write(Provenance((made,)), provenance.beside(base))
        render_region(Path("w"), elevation, region, tmp_path / "out", CLIP, base=choice.chooser(str(base)))
        with rasterio.open(tmp_path / "out/terraformed.tif") as dataset:
            assert dataset.tags()["LICENCE"] == licence
    assert "a painter" in (tmp_path / "out/item.json").read_text()
