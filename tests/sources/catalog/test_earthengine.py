"""Elevation by Earth Engine, with the real client: which pixels come, what is asked, and what goes wrong."""

import io
import json
import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from servers.earthengine import EarthEngine
from servers.ee_ground import unseen_ocean
from servers.engine_regions import (
    COAST,
    CORNER,
    GLO30,
    HERE,
    NASADEM,
    OVER,
    SRTM,
    asked,
    expected,
    fetched,
    region,
    settings,
)
from servers.surface import height_m

from terraform.config import parse
from terraform.errors import ConfigError, InputError, RemoteError
from terraform.geo.bodies import EARTH, MARS
from terraform.geo.grid import download_grid
from terraform.geo.heights import SEA, VOID
from terraform.geo.regions import Region, rectangle
from terraform.sources import source_named
from terraform.sources.catalog.earthengine.assets import LARGEST_REQUEST_BYTES, LARGEST_SIDE_PX
from terraform.sources.fetch import fetch
from terraform.sources.remote_raster.request_grid import request_grid


@pytest.mark.parametrize("where", [HERE, COAST, CORNER, OVER], ids=["land", "coast", "void", "antimeridian"])
def test_every_pixel_is_the_mean_of_the_models_own(
    where: Region, earth_engine: EarthEngine, account: Path, tmp_path: Path
) -> None:
    heights, grid, _ = fetched(settings(earth_engine, tmp_path), where, tmp_path)
    wanted = expected(grid)
    assert np.abs(heights.astype(int) - wanted).max() <= 1  # a share of exactly a half may round either way
    assert ((heights == SEA) == (wanted == SEA)).all() and ((heights == VOID) == (wanted == VOID)).all()
    window = asked(where).grid
    assert grid.longitudes.origin <= window.longitudes.origin and grid.longitudes.end >= window.longitudes.end
    assert grid.latitudes.origin >= window.latitudes.origin and grid.latitudes.end <= window.latitudes.end
    assert 150 < -grid.latitudes.step * EARTH.metres_per_degree <= 200


def test_the_mean_differs_from_the_nearest_pixel(earth_engine: EarthEngine, account: Path, tmp_path: Path) -> None:
    heights, grid, _ = fetched(settings(earth_engine, tmp_path), HERE, tmp_path)
    nearest = height_m(grid.longitudes.centres(), grid.latitudes.centres()[:, None])
    # Slopes make the pixel beside the centre differ by half an arc second: far more than the rounding of the mean.
    assert np.abs(heights - np.rint(nearest)).max() <= 3
    shifted = height_m(grid.longitudes.centres() + grid.longitudes.step, grid.latitudes.centres()[:, None])
    assert np.abs(heights - shifted).max() > 5


def test_sea_void_and_shore_are_told_apart(earth_engine: EarthEngine, account: Path, tmp_path: Path) -> None:
    heights, grid, _ = fetched(settings(earth_engine, tmp_path), COAST, tmp_path)
    lon, lat = grid.longitudes.centres(), grid.latitudes.centres()[:, None]
    assert (heights[unseen_ocean(lon, lat)] == SEA).all() and unseen_ocean(lon, lat).any()
    assert not (heights == VOID).any()
    heights, grid, _ = fetched(settings(earth_engine, tmp_path), CORNER, tmp_path)
    assert (heights == VOID).any() and (heights > 0).any()


@pytest.mark.parametrize("asset", [NASADEM, GLO30])
def test_the_other_models_show_the_same_ground(
    asset: str, earth_engine: EarthEngine, account: Path, tmp_path: Path
) -> None:
    heights, grid, made = fetched(settings(earth_engine, tmp_path, asset=asset), COAST, tmp_path)
    assert np.abs(heights.astype(int) - expected(grid)).max() <= 1
    assert made.details["asset"] == asset
    text = json.dumps(earth_engine.pixels()[0]["expression"])
    assert asset in text
    if asset == GLO30:
        assert made.licence == "LicenseRef-Copernicus-DEM" and "Airbus" in made.attribution
        assert "do not incur any liability" in made.attribution
        assert "Image.setDefaultProjection" in text  # a mosaic has none of its own


def test_what_is_asked_is_an_average_within_the_limits(
    earth_engine: EarthEngine, account: Path, tmp_path: Path
) -> None:
    fetched(settings(earth_engine, tmp_path, window_px=64), OVER, tmp_path)
    requests = earth_engine.pixels()
    assert len(requests) >= 4
    for request in requests:
        text = json.dumps(request["expression"])
        assert '"functionName": "Image.reduceResolution"' in text and '"functionName": "Reducer.mean"' in text
        assert SRTM in text and "Image.resample" not in text
        assert request["fileFormat"] == "NPY" and request["bandIds"] == ["land", "sea", "seen"]
        size, affine = request["grid"]["dimensions"], request["grid"]["affineTransform"]
        assert size["width"] * size["height"] * 4 <= LARGEST_REQUEST_BYTES
        assert max(size.values()) <= min(64, LARGEST_SIDE_PX)
        assert affine["translateX"] > -180.001 and affine["translateX"] + size["width"] * affine["scaleX"] < 180.005
    called = earth_engine.calls[-1]
    assert f"/projects/{earth_engine.project}/" in called.path
    assert {name.lower(): text for name, text in called.headers.items()}["authorization"] == "Bearer a-token"


def test_a_whole_region_costs_little_more_than_its_pixels() -> None:
    grid = download_grid(region(6.9997, 40.9991, 14.3227, 46.5202))
    part = request_grid(grid)
    bounds = grid.latitudes.count * grid.longitudes.count
    assert sum(window.shape[0] * window.shape[1] for window in part.windows(256, -56, 60)) < 1.3 * bounds


def test_windows_cover_a_region_once_whatever_their_size() -> None:
    draw = random.Random(7)
    for _ in range(30):
        south, west = draw.uniform(-55, 58), draw.uniform(-180, 180)
        grid = download_grid(region(west, south, west + draw.uniform(0.1, 3), south + draw.uniform(0.1, 2)))
        part = request_grid(grid)
        counts = np.zeros((part.rows[1] - part.rows[0], part.columns[1] - part.columns[0]), int)
        for window in part.windows(draw.choice([32, 100, 256]), -56, 60):
            assert max(window.shape) <= 256
            top, left = window.top - part.rows[0], window.left - part.columns[0]
            rows = slice(max(0, top), max(0, window.bottom - part.rows[0]))
            counts[rows, max(0, left) : max(0, window.right - part.columns[0])] += 1
        assert (counts == 1).all()


def test_a_plan_tells_exactly_what_is_asked(earth_engine: EarthEngine, account: Path, tmp_path: Path) -> None:
    config = settings(earth_engine, tmp_path, window_px=64)
    source = source_named("earthengine", config.sources.earth.elevation, config)
    request = asked(HERE)
    needs = source.estimate(request)
    assert earth_engine.calls == []
    fetched(config, HERE, tmp_path)
    sizes = [body["grid"]["dimensions"] for body in earth_engine.pixels()]
    assert needs.requests == len(sizes)
    assert needs.bytes == sum(size["width"] * size["height"] * 4 for size in sizes)
    again = source.estimate(request)
    assert (again.requests, again.bytes, again.kept_bytes) == (0, 0, needs.bytes)


def test_nothing_is_fetched_twice_and_a_neighbour_shares(
    earth_engine: EarthEngine, account: Path, tmp_path: Path
) -> None:
    config = settings(earth_engine, tmp_path, window_px=32)
    fetched(config, HERE, tmp_path)
    first = len(earth_engine.pixels())
    calls = len(earth_engine.calls)
    fetched(config, HERE, tmp_path)
    assert len(earth_engine.calls) == calls  # not even a sign-in
    fetched(config, region(10.5, 45.45, 10.75, 45.55, "next"), tmp_path)
    assert 0 < len(earth_engine.pixels()) - first < first


def test_the_project_allows_forty_at_once_and_we_ask_eight(
    earth_engine: EarthEngine, account: Path, tmp_path: Path
) -> None:
    earth_engine.limit(allowed=8, delay_s=0.05)
    fetched(settings(earth_engine, tmp_path, window_px=32), HERE, tmp_path)
    assert 2 <= earth_engine.most_at_once <= 8
    with pytest.raises(ConfigError, match="connections"):
        settings(earth_engine, tmp_path, connections=41)


def test_what_is_too_much_at_once_is_asked_in_parts(earth_engine: EarthEngine, account: Path, tmp_path: Path) -> None:
    earth_engine.limit(largest_bytes=64 * 64 * 4)
    heights, grid, _ = fetched(settings(earth_engine, tmp_path), HERE, tmp_path)
    assert np.abs(heights.astype(int) - expected(grid)).max() <= 1
    earth_engine.heal()
    earth_engine.fail("computePixels", 400, times=3, message="User memory limit exceeded.")
    fetched(settings(earth_engine, tmp_path, asset=NASADEM), HERE, tmp_path)
    earth_engine.limit(largest_bytes=10)
    with pytest.raises(RemoteError, match=r"cannot compute even \(\d+, \d+\) pixels"):
        fetched(settings(earth_engine, tmp_path, asset=GLO30), HERE, tmp_path)


@pytest.mark.parametrize(
    ("kind", "status"),
    [("status", 429), ("status", 503), ("status", 500), ("drop", 0), ("truncate", 0), ("html", 0)],
)
@pytest.mark.parametrize("call", ["computePixels", "algorithms", "discovery"])
def test_what_fails_once_is_asked_again(
    call: str, kind: str, status: int, earth_engine: EarthEngine, account: Path, tmp_path: Path
) -> None:
    earth_engine.fail(call, status, times=1, kind=kind)
    heights, grid, _ = fetched(settings(earth_engine, tmp_path), HERE, tmp_path)
    assert np.abs(heights.astype(int) - expected(grid)).max() <= 1


def test_silence_ends(earth_engine: EarthEngine, account: Path, tmp_path: Path) -> None:
    earth_engine.fail("computePixels", kind="stall")
    with pytest.raises(RemoteError, match=r"does not answer in time.*resume") as told:
        fetched(settings(earth_engine, tmp_path, {"read_timeout_s": 0.3, "attempts": 2}), HERE, tmp_path)
    times = Counter(json.dumps(asked) for asked in earth_engine.pixels())
    assert told.value.exit_code == 4 and set(times.values()) == {2}


@pytest.mark.parametrize("kind", ["drop", "truncate", "html", "body"])
def test_a_broken_service_ends_in_plain_words(
    kind: str, earth_engine: EarthEngine, account: Path, tmp_path: Path
) -> None:
    earth_engine.fail("computePixels", kind=kind, body=b"\x93NUMPY nonsense")
    words = "Please log in.*" if kind == "html" else ""
    with pytest.raises(RemoteError, match=words + r"\(3 attempts\).*run the same command again later to resume"):
        fetched(settings(earth_engine, tmp_path), HERE, tmp_path)
    assert not (tmp_path / "elevation.tif").exists()


def test_a_quota_ends_in_resume_later_and_nothing_is_lost(
    earth_engine: EarthEngine, account: Path, tmp_path: Path
) -> None:
    config = settings(earth_engine, tmp_path, window_px=32, connections=1)
    windows = source_named("earthengine", config.sources.earth.elevation, config).estimate(asked(HERE))
    served = 5
    earth_engine.break_after(served, 429, "Quota exceeded: Earth Engine compute time for this month", "3600")
    with pytest.raises(RemoteError, match=r"Quota exceeded.*come back in 3600 s.*Nothing that was fetched is lost"):
        fetched(config, HERE, tmp_path)
    earth_engine.heal()
    fetched(config, HERE, tmp_path)
    assert len(earth_engine.pixels()) == windows.requests - served


def test_retry_after_is_honoured(earth_engine: EarthEngine, account: Path, tmp_path: Path) -> None:
    earth_engine.fail("computePixels", 429, times=1, Retry_After="1")
    fetched(settings(earth_engine, tmp_path, connections=1), HERE, tmp_path)
    times = [call.at for call in earth_engine.calls if call.path.endswith("computePixels")]
    assert times[1] - times[0] >= 1


def test_pixels_of_another_size_or_kind_are_refused(earth_engine: EarthEngine, account: Path, tmp_path: Path) -> None:
    for wrong in (np.zeros((2, 2), [("land", "<i2"), ("sea", "u1"), ("seen", "u1")]), np.zeros((96, 96), "<i2")):
        text = io.BytesIO()
        np.save(text, wrong)
        earth_engine.heal()
        earth_engine.fail("computePixels", kind="body", body=text.getvalue())
        with pytest.raises(RemoteError, match="it sends"):
            fetched(settings(earth_engine, tmp_path), HERE, tmp_path)


def test_heights_that_are_not_of_earth_are_refused(earth_engine: EarthEngine, account: Path, tmp_path: Path) -> None:
    config = settings(earth_engine, tmp_path, window_px=2048)
    part = request_grid(asked(HERE).grid)
    (window,) = part.windows(2048, -56, 60)
    pixels = np.zeros(window.shape, [("land", "<i2"), ("sea", "u1"), ("seen", "u1")])
    pixels["land"], pixels["seen"] = 20_000, 200
    text = io.BytesIO()
    np.save(text, pixels)
    earth_engine.fail("computePixels", kind="body", body=text.getvalue())
    with pytest.raises(RemoteError, match=r"20000 m.*expected -500 to 9000"):
        fetched(config, HERE, tmp_path)


def test_regions_beyond_the_data_and_other_planets_are_refused(earth_engine: EarthEngine, tmp_path: Path) -> None:
    config = settings(earth_engine, tmp_path)
    north = region(10, 59.5, 10.5, 60.4, "north")
    with pytest.raises(InputError, match=r"'north' reaches from 59.5 to 60.4 N.*GLO30"):
        fetched(config, north, tmp_path)
    mars = parse({"sources": {"mars": {"elevation": {"source": "earthengine"}}}})
    with pytest.raises(ConfigError, match="no elevation of mars"):
        fetch(mars, Region("there", MARS, "mosaic", "There", rectangle(10, 5, 11, 6)), "elevation", tmp_path / "x.tif")
    assert earth_engine.calls == []


def test_all_void_is_an_error(earth_engine: EarthEngine, account: Path, tmp_path: Path) -> None:
    config = settings(earth_engine, tmp_path, window_px=2048)
    (window,) = request_grid(asked(HERE).grid).windows(2048, -56, 60)
    text = io.BytesIO()
    np.save(text, np.zeros(window.shape, [("land", "<i2"), ("sea", "u1"), ("seen", "u1")]))
    earth_engine.fail("computePixels", kind="body", body=text.getvalue())
    with pytest.raises(InputError, match="no elevation at all"):
        fetched(config, HERE, tmp_path)
    assert not (tmp_path / "elevation.tif").exists()
