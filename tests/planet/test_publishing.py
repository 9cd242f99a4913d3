"""What is published of base colours: small files that the readers read, and their cards."""

import hashlib

import numpy as np
import pytest

from terraform import provenance
from terraform.basemap.model import load
from terraform.errors import InputError, ResourceError
from terraform.geo import raster
from terraform.geo.bodies import EARTH, MARS
from terraform.mosaic.base.reading import read_base as read_for_mosaics
from terraform.planet import publishing
from terraform.planet.base_colours import draw_base_colours
from terraform.planet.rasters import read_base, read_climate, write_base
from terraform.planet.temperature import of_climate
from terraform.planet.tints import read_tints


@pytest.fixture(scope="module")
def run(planets, settings, tmp_path_factory):
    """A finished run: the base model, and base colours of both bodies."""
    folder = tmp_path_factory.mktemp("run")
    model = planets / "base-model.safetensors"
    (folder / model.name).write_bytes(model.read_bytes())
    for body in ("earth", "mars"):
        own = planets / body
        (folder / body).mkdir()
        (folder / body / "climate.tif").write_bytes((own / "climate.tif").read_bytes())
        draw_base_colours(model, own / "elevation.tif", own / "climate.tif", folder / body, settings.basemap)
    return folder


@pytest.fixture
def published(run, tmp_path):
    (tmp_path / "README.md").write_text(
        "# Models\n\n## generator.safetensors\n\nA detail generator.\n\n## mars-base.tif\n\nold\n"
    )
    publishing.publish_base(run, ["earth", "mars"], tmp_path, "make models-base")
    return tmp_path


def test_base_maps_stay_what_they_are_within_a_few_levels(run, published):
    for body in ("earth", "mars"):
        grid, before, made = read_base(run / body / "base.tif")
        again, after, same = read_base(published / f"{body}-base.tif")
        changed = np.abs(after.astype(int) - before)
        assert again == grid and same.licence == made.licence
        # Cells of a degree: the edge of the ice is sharper than at a twelfth.
        assert changed.mean() < 1 and np.quantile(changed, 0.99) <= 6
    with raster.opened(published / "mars-base.tif") as dataset:
        assert dataset.profile["compress"] == "jpeg" and dataset.descriptions[3] == "sea red"


def test_land_and_sea_stay_apart(published, tmp_path):
    """Where land is white and sea black, neither becomes grey: bands are compressed each for itself."""
    grid, levels, made = read_base(published / "mars-base.tif")
    levels = np.concatenate([np.full_like(levels[..., :3], 250), np.full_like(levels[..., 3:], 3)], axis=-1)
    write_base(tmp_path / "apart.tif", grid, levels, made, 50)
    after = read_base(tmp_path / "apart.tif")[1]
    assert after[..., :3].min() > 247 and after[..., 3:].max() < 6


def test_mosaics_read_a_published_map(published):
    path = published / "mars-base.tif"
    np.testing.assert_array_equal(read_for_mosaics(path, MARS).levels, read_base(path)[1])


def test_a_published_climate_says_how_warm_the_shoreline_is_and_holds_no_heights(run, published):
    for body in ("earth", "mars"):
        before, after = (of_climate(path) for path in (run / body / "climate.tif", published / f"{body}-climate.tif"))
        assert (after.lapse_rate_k_per_km, after.shoreline_m) == (before.lapse_rate_k_per_km, before.shoreline_m)
        coarse = before.grid.coarsened(before.celsius, after.grid)
        np.testing.assert_allclose(after.celsius, coarse, atol=0.02)
        assert not read_climate(published / f"{body}-climate.tif")[0].height_m.any()


def test_published_tints_are_those_of_the_run(run, published):
    for body in (EARTH, MARS):
        before, after = (read_tints(path, body) for path in (run / body.name / "tints.tif",
                                                             published / f"{body.name}-tints.tif"))  # fmt: skip
        assert before.digest == after.digest and after.colours.shape == (90, 180, 51)
    assert "17 heights of 0 to 8,500 m" in (published / "README.md").read_text()


def test_each_file_has_a_card_and_other_cards_stay(published):
    text = (published / "README.md").read_text()
    names = [line[3:] for line in text.splitlines() if line.startswith("## ")]
    kinds = [f"{body}-{kind}.tif" for body in ("earth", "mars") for kind in ("base", "tints", "climate")]
    assert names == ["base-model.safetensors", *kinds, "generator.safetensors"]
    assert "A detail generator." in text and "old" not in text.split()
    for name in names[:7]:
        assert hashlib.sha256((published / name).read_bytes()).hexdigest() in text
    made = provenance.from_json(load(published / "base-model.safetensors").texts["PROVENANCE"])
    assert f"licence: **{made.licence}**" in text and made.attribution in text and "`make models-base`" in text


def test_what_cannot_be_small_is_refused(run, tmp_path, monkeypatch):
    monkeypatch.setattr(publishing, "MOST_BYTES", 1000)
    with pytest.raises(ResourceError, match="more than 1,000 bytes at any quality"):
        publishing.publish_base(run, ["mars"], tmp_path, "")


def test_other_rasters_are_not_published(planets):
    with pytest.raises(InputError, match="holds no base colours"):
        read_base(planets / "earth/imagery.tif")
