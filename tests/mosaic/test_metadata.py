"""Relief that is coarser than what was learnt from: said on the screen, in the file, its item and its preview."""

import json
from pathlib import Path

import numpy as np
import pystac
import pytest
import rasterio
from exact import CLIP, PLAIN, Same, region_of, small_planet, trained, write_raster
from rasterio.crs import CRS
from rasterio.transform import Affine
from shapely.geometry import box

from terraform.config import Config, FilesSource
from terraform.mosaic import any_raster, inputs
from terraform.mosaic.output.metadata import MosaicMetadata
from terraform.mosaic.region import render_region
from terraform.provenance import Credit, Provenance
from terraform.sources.fetch import fetch

MADE = Provenance((Credit("files", "CC-BY-4.0", "a survey"),))


@pytest.fixture(autouse=True)
def _known_network(monkeypatch, tmp_path):
    """A generator that learnt from relief of 1 km, with an exact answer."""
    condition = PLAIN.model_copy(update={"resolution_m": 1000.0})
    monkeypatch.setattr(
        inputs, "load_generator", lambda weights, settings: trained(Same(), condition, stride=4, halo_px=4)
    )
    (tmp_path / "w").write_bytes(b"an exact answer")


@pytest.mark.parametrize(
    ("relief_m", "learnt_m", "coarse"),
    [(463, 1000, False), (1000, 1000, False), (1100, 1000, True), (200.00085, 0, False), (463, 0, True)],
)
def test_coarse_is_coarser_than_what_was_learnt(capsys, relief_m, learnt_m, coarse):
    label = MosaicMetadata(MADE, relief_m, learnt_m)
    label.warn("mola.tif")
    assert label.is_coarse == coarse == ("mola.tif" in capsys.readouterr().err)
    assert ("coarse relief" in label.caption("Mars")) == coarse
    assert label.tags()["COARSE_RELIEF"] == str(coarse).lower() and label.tags()["LICENCE"] == "CC-BY-4.0"


@pytest.mark.parametrize(("step", "coarse"), [(1.0, False), (2.0, True)])
def test_any_raster_says_how_coarse_it_is(tmp_path, capsys, step, coarse):
    """A small body, on which a degree is 698 m."""
    path = small_planet(tmp_path / "e.tif", step)
    any_raster.render_raster(tmp_path / "w", path, tmp_path / "out.tif", CLIP)
    assert ("warning: e.tif has pixels of 1,396 m" in capsys.readouterr().err) == coarse
    with rasterio.open(tmp_path / "out.tif") as dataset:
        tags = dataset.tags()
    assert tags["COARSE_RELIEF"] == str(coarse).lower() and float(tags["RELIEF_PIXEL_M"]) == pytest.approx(
        698 * step, 1e-3
    )
    item = pystac.Item.from_dict(json.loads((tmp_path / "out.item.json").read_text()))
    assert item.properties["terraform:coarse_relief"] is coarse


@pytest.mark.parametrize("projected", [False, True])
def test_a_region_knows_the_pixels_that_its_download_was_made_from(tmp_path, capsys, projected):
    """Also where they were warped onto finer ones."""
    region = region_of(box(10, 20, 11, 21))
    if projected:  # sheared, so that it is warped
        crs, transform = "IAU_2015:49910", Affine(3000, 40, 500_000, 40, -3000, 1_350_000)
    else:
        crs, transform = "IAU_2015:49900", Affine(0.05, 0, 9, 0, -0.05, 22)
    path = write_raster(tmp_path / "own.tif", np.full((80, 80), 1500, np.int16), transform, CRS.from_user_input(crs))
    files = FilesSource(source="files", path=str(path), licence="CC-BY-4.0", attribution="a survey")
    fetch(
        Config.model_validate({"sources": {"mars": {"elevation": files.model_dump()}}}),
        region,
        "elevation",
        tmp_path / "e.tif",
    )
    render_region(tmp_path / "w", Path(tmp_path / "e.tif"), region, tmp_path / "out", CLIP)
    assert "warning: e.tif has pixels of" in capsys.readouterr().err
    document = json.loads((tmp_path / "out/item.json").read_text())
    assert document["properties"]["terraform:relief_pixel_m"] == pytest.approx(3000 if projected else 2964, rel=1e-3)
