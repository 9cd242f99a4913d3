"""Cutting: every pixel of every pair is the pixel of the ground that it should be, and what is unfit is left out."""

import json
import os
from pathlib import Path

import geopandas
import numpy as np
import pytest
import rasterio

from terraform import provenance
from terraform.config import Pairs, Sheet
from terraform.errors import InputError
from terraform.geo import raster
from terraform.geo.bodies import EARTH, MARS
from terraform.geo.grid import RasterGrid, columns_inside, download_grid, rows_of
from terraform.geo.heights import SEA, VOID
from terraform.geo.regions import Region, rectangle
from terraform.geo.resample import Axis
from terraform.geo.tile_spec import TileSpec
from terraform.pairs import cut, sheet
from terraform.pairs.store import open_pairs, save_array
from terraform.provenance import Credit, Provenance

PLACES = {
    "north": (EARTH, 10, 60, 12, 61), "south": (EARTH, -70, -34, -69, -33.3),
    "antimeridian": (EARTH, 179.2, 1, 180.8, 1.6),
    "mars": (MARS, 40, -50, 43, -48.5),
}  # fmt: skip
EVERYTHING = Pairs(max_void=1, max_sea=1, max_cloud=1)
COARSE = TileSpec(128, 400.0, 32)
WIDE = TileSpec(256, 200.0, 192)
"""Of a margin wider than what base colours look at."""


def region(place="north"):
    body, *edges = PLACES[place]
    return Region(place, body, "train", place, rectangle(*edges))


def heights(lon, lat):
    """A surface that tells where one is."""
    return 2000 + 900 * np.sin(np.radians(40 * lon)) + 700 * np.cos(np.radians(60 * lat))


def colours(lon, lat):
    return np.stack([60 + 40 * np.sin(np.radians(30 * (lon + shift)) + lat) for shift in (0, 3, 6)], -1)


def rasters(folder, place, spoil=lambda metres, rgb: None, spec=TileSpec()):
    """Elevation and imagery of a region as `fetch` leaves them, from the two surfaces."""
    grid = download_grid(place, spec)
    lon, lat = np.meshgrid(grid.longitudes.centres(), grid.latitudes.centres())
    metres, rgb = np.rint(heights(lon, lat)).astype(np.int16), np.rint(colours(lon, lat)).astype(np.uint8)
    spoil(metres, rgb)
    paths = []
    for what, values in (("elevation", metres), ("imagery", rgb)):
        path = folder / f"{what}.tif"
        raster.write_strips(path, grid, [values], 1 if what == "elevation" else 3, values.dtype.name, {})
        made = Provenance((Credit("sample", "CC-BY-4.0" if what == "imagery" else "CC0-1.0", "us", True),), {})
        provenance.write(made, provenance.beside(path))
        paths.append(path)
    return paths


def cut_out(folder, place, wanted=EVERYTHING, spoil=lambda metres, rgb: None, spec=TileSpec()):
    cut.cut(place, *rasters(folder, place, spoil, spec), folder / place.name, wanted, spec)
    return open_pairs(folder / place.name)


@pytest.mark.parametrize(
    ("name", "spec"), [*((name, TileSpec()) for name in PLACES), *(("north", spec) for spec in (COARSE, WIDE))]
)
def test_every_pixel_is_where_it_belongs(tmp_path, name, spec):
    place = region(name)
    pairs = cut_out(tmp_path, place, spec=spec)
    assert pairs.spec == spec
    rows = {row.index: row for row in rows_of(place, spec)}
    expected = [(row.index, column) for row in rows.values() for column in columns_inside(row, place)]
    assert [(int(tile["row"]), int(tile["column"])) for tile in pairs.tiles] == expected
    for number, tile in enumerate(pairs.tiles):
        row, column = rows[int(tile["row"])], int(tile["column"])
        lon = row.longitudes(spec.margin_px).centres()[column * spec.tile_px :][: spec.side_px]
        lon, lat = np.meshgrid(lon, row.latitudes(spec.margin_px).centres())
        assert np.abs(pairs.elevation[number] - heights(lon, lat)).max() < 3
        assert np.abs(pairs.imagery[number] - colours(lon, lat)[spec.inner, spec.inner]).max() < 1.6
        assert (tile["west"], tile["north"]) == pytest.approx((row.tile_bounds(column).west, row.north))


def test_a_row_of_tiles_reads_each_raster_once(tmp_path, monkeypatch):
    place, asked, read = region(), [], raster.read
    paths = rasters(tmp_path, place)
    monkeypatch.setattr(raster, "read", lambda dataset, *window: asked.append(dataset.name) or read(dataset, *window))
    cut.cut(place, *paths, tmp_path / place.name, EVERYTHING)
    assert sorted(asked) == sorted(str(path) for path in paths for row in rows_of(place) if columns_inside(row, place))


def test_base_colours_of_coarse_tiles_are_those_of_fine_ones(tmp_path):
    fine, coarse = (cut_out(tmp_path / str(spec.tile_px), region(), spec=spec) for spec in (TileSpec(), COARSE))
    assert coarse.base[0].shape == (2, 12, 12, 3) and len(coarse) == len(fine)
    for number in range(len(fine)):
        inner = fine.base[number][:, 2:-2, 2:-2].reshape(2, 8, 2, 8, 2, 3).mean((2, 4))
        assert np.abs(coarse.base[number][:, 2:-2, 2:-2] - inner).max() < 1.5


def test_the_margin_of_a_tile_is_the_ground_of_its_neighbour(tmp_path):
    pairs = cut_out(tmp_path, region())
    first, second = (int(np.flatnonzero((pairs.tiles["row"] == 0) & (pairs.tiles["column"] == k))[0]) for k in (0, 1))
    assert (pairs.elevation[first][:, 320:] == pairs.elevation[second][:, 64:128]).all()


def test_sea_and_void_stay_what_they_are(tmp_path):
    def spoil(metres, rgb):
        half = metres.shape[1] // 2
        metres[:, :half] = SEA
        metres[:40] = VOID
        rgb[-140:] = 0

    pairs = cut_out(tmp_path, region(), spoil=spoil)
    elevation, imagery = np.array(pairs.elevation), np.array(pairs.imagery)
    land = (elevation != SEA) & (elevation != VOID)
    assert elevation[land].min() > 300  # nothing was averaged with a marker
    assert (elevation == SEA).any() and (pairs.tiles["sea"] > 0.9).any()
    south = pairs.tiles["row"] == 0
    assert (pairs.tiles["void"][south] > 0.1).all()
    assert (imagery[south].max(-1) == 0).any()


@pytest.mark.parametrize(
    ("reason", "spoil"),
    [
        ("sea", lambda metres, rgb: metres.__setitem__(slice(None), SEA)),
        ("void", lambda metres, rgb: metres.__setitem__(slice(None), VOID)),
        ("void", lambda metres, rgb: rgb.__setitem__(slice(None), 0)),
        ("cloud", lambda metres, rgb: rgb.__setitem__(slice(None), 250)),
    ],
)
def test_a_region_of_which_nothing_is_left_says_why_and_leaves_nothing_that_looks_complete(tmp_path, reason, spoil):
    cut_out(tmp_path, region())
    with pytest.raises(InputError, match=rf"'north' has no pairs left \(\d+ {reason}\).*regions.geojson"):
        cut_out(tmp_path, region(), Pairs(), spoil)
    assert not (tmp_path / "north" / "provenance.json").exists()


def test_what_is_screened_is_counted_and_the_rest_kept(tmp_path):
    def spoil(metres, rgb):
        metres[:, : metres.shape[1] // 2] = SEA

    pairs = cut_out(tmp_path, region(), Pairs(), spoil)
    counts = json.loads((tmp_path / "north" / "provenance.json").read_text())["details"]["tiles"]
    assert counts["kept"] == len(pairs) > 0 and counts["sea"] > 0
    assert counts["kept"] + counts["sea"] == sum(len(columns_inside(row, region())) for row in rows_of(region()))
    assert pairs.tiles["sea"].max() <= Pairs().max_sea


def test_bright_snow_with_structure_is_no_cloud():
    rough = np.random.default_rng(0).integers(216, 256, (256, 256, 3), np.uint8)
    rough[::2] -= 40
    assert cut.cloud_share(np.full((256, 256, 3), 240, np.uint8)) == 1
    assert cut.cloud_share(rough) == 0


def test_the_index_opens_as_a_map_and_licences_are_the_most_restrictive(tmp_path):
    pairs = cut_out(tmp_path, region())
    frame = geopandas.read_parquet(tmp_path / "north" / "tiles.parquet")
    assert len(frame) == len(pairs) and frame.crs.to_epsg() == 4326
    assert frame.geometry.iloc[0].bounds == pytest.approx(tuple(pairs.tiles[0][["west", "south", "east", "north"]]))
    assert pairs.provenance.licence == "CC-BY-4.0" and pairs.provenance.synthetic


def test_rasters_of_another_body_or_of_elsewhere_are_refused(tmp_path):
    place = region()
    paths = rasters(tmp_path, place)
    with pytest.raises(InputError, match=r"earth.*mars"):
        cut.cut(region("mars"), *paths, tmp_path / "out", EVERYTHING)
    elsewhere = Region("elsewhere", EARTH, "train", "x", rectangle(100, 0, 101, 1))
    with pytest.raises(InputError, match=r"no pairs left.*void"):
        cut.cut(elsewhere, *paths, tmp_path / "out", Pairs())


def test_a_damaged_folder_of_pairs_is_told(tmp_path):
    cut_out(tmp_path, region())
    folder = tmp_path / "north"
    os.truncate(folder / "imagery.npy", 5000)
    with pytest.raises(InputError, match=r"imagery.npy is damaged.*cut the region again"):
        open_pairs(folder)
    np.save(folder / "imagery.npy", np.zeros((3, 8, 8, 3), np.uint8))
    with pytest.raises(InputError, match="expected uint8"):
        open_pairs(folder)
    (folder / "imagery.npy").unlink()
    with pytest.raises(InputError, match="does not exist: cut the region first"):
        open_pairs(folder)


def test_cutting_again_gives_the_same_bytes(tmp_path):
    cut_out(tmp_path, region())
    names = ("elevation.npy", "imagery.npy", "base.npy", "tiles.npy")
    before = [(tmp_path / "north" / name).read_bytes() for name in names]
    cut_out(tmp_path, region())
    assert before == [(tmp_path / "north" / name).read_bytes() for name in names]


def test_the_sheet_says_that_a_world_is_synthetic(tmp_path):
    pairs = cut_out(tmp_path, region())
    sheet.draw(tmp_path / "north", tmp_path / "sheet.jpg", Sheet())
    assert (tmp_path / "sheet.jpg").stat().st_size > 5000
    assert "SYNTHETIC" in sheet.caption(pairs, Sheet()) and "CC-BY-4.0" in sheet.caption(pairs, Sheet())


def test_rasters_are_what_rasterio_reads(tmp_path):
    """The two files of this test world are georeferenced as a download is."""
    elevation, _ = rasters(tmp_path, region())
    with rasterio.open(Path(elevation)) as dataset:
        lon, lat = dataset.xy(3, 5)
        assert dataset.read(1)[3, 5] == pytest.approx(heights(lon, lat), abs=1)


def test_pairs_are_read_on_from_the_file_that_was_opened(tmp_path):
    """A region that is cut again under a run does not change what the run reads; one that is cut short is told."""
    pairs = cut_out(tmp_path, region())
    first, path = pairs.elevation[0], next(tmp_path.rglob("elevation.npy"))
    save_array(path, np.zeros((len(pairs), *first.shape), np.int16))
    assert (pairs.elevation[0] == first).all()
    again = open_pairs(path.parent)
    os.truncate(path, path.stat().st_size - 1)
    assert not again.elevation[0].any()
    with pytest.raises(InputError, match=r"elevation\.npy has become shorter: cut the region again"):
        again.elevation[len(again) - 1]
    with pytest.raises(IndexError):
        again.elevation[len(again)]


@pytest.mark.parametrize("share", [1.0, 0.6])
@pytest.mark.parametrize("shift_px", [(0, 1), (1, 0), (0.5, -0.25)])
def test_each_raster_is_placed_by_its_own_grid(tmp_path, shift_px, share):
    """Imagery whose pixels lie elsewhere than those of the relief shows the ground of its tile, or nothing."""
    place, spec = region(), TileSpec()
    elevation, imagery = rasters(tmp_path, place)
    own = download_grid(place)
    moved = [
        Axis(axis.origin + shift * axis.step, axis.step, round(axis.count * share))
        for axis, shift in zip((own.latitudes, own.longitudes), shift_px, strict=True)
    ]

    def waves(lon, lat):
        """24 pixels long: taken for pixels of the relief's grid, they would be off by 6 levels and more."""
        north, east = lat / moved[0].step * np.pi / 12, lon / moved[1].step * np.pi / 12
        return np.stack([120 + 80 * np.sin(turn) for turn in (north, east, north + east)], -1)

    painted = np.rint(waves(*np.meshgrid(moved[1].centres(), moved[0].centres()))).astype(np.uint8)
    raster.write_strips(imagery, RasterGrid(place.body, *moved), [painted], 3, "uint8", {})
    cut.cut(place, elevation, imagery, tmp_path / "moved", EVERYTHING)
    pairs, rows = open_pairs(tmp_path / "moved"), {row.index: row for row in rows_of(place, spec)}
    for picture, tile in zip(pairs.imagery, pairs.tiles, strict=True):
        row, column = rows[int(tile["row"])], int(tile["column"])
        lon = row.longitudes().centres()[column * spec.tile_px :][: spec.tile_px]
        lon, lat = np.meshgrid(lon, row.latitudes().centres())
        known, shown = picture.max(-1) > 0, (lon < moved[1].centres()[-1]) & (lat > moved[0].centres()[-1])
        assert (known == shown).mean() > 0.99
        if known.any():
            assert np.abs(picture - waves(lon, lat))[known].mean(0).max() < 3
