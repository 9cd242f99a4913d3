"""Cards that Hugging Face reads: front matter, sections, and numbers that are the run's."""

import csv

import pytest
import yaml
from small_world import config, few_pairs, make_world, run

from benchmarks.world import make_pairs
from terraform.provenance import Credit, Provenance, read, write
from terraform.show import cards

SECTIONS = ("Uses", "Limitations", "Licence and attribution")


def parts(path):
    """Front matter and text."""
    _, matter, text = path.read_text(encoding="utf-8").split("---\n", 2)
    return yaml.safe_load(matter), text


def test_the_card_of_a_model(tmp_path):
    settings = config(total_images=8)
    with pytest.MonkeyPatch.context() as patch:
        few_pairs(patch)
        state = run(make_world(tmp_path), tmp_path / "out", settings)
    cards.write(tmp_path / "card.md", tmp_path / "out/weights.safetensors", state, settings)
    matter, text = parts(tmp_path / "card.md")
    rows = list(csv.DictReader((tmp_path / "out/history.csv").open()))
    (result,) = matter["model-index"][0]["results"]
    best = next(row for row in rows if row["images"] == str(state.best_images))
    found = {one["type"]: one["value"] for one in result["metrics"]}
    assert found == pytest.approx({"l1": float(best["val_l1"]), "swd": float(best["val_swd"])}, rel=1e-5)
    assert (matter["license"], matter["pipeline_tag"]) == ("cc0-1.0", "image-to-image")
    assert "synthetic" in matter["tags"] and "Trained on a synthetic world" in text
    headings = ("Model details", *SECTIONS, "How to get started", "Training", "Evaluation")
    assert all(f"\n## {heading}\n" in text for heading in headings)


def test_the_card_says_where_a_training_started_and_how_it_went_on(tmp_path):
    world = make_world(tmp_path)
    first, then = tmp_path / "first", tmp_path / "then"
    start = first / "weights.safetensors"
    with pytest.MonkeyPatch.context() as patch:
        few_pairs(patch)
        run(world, first, config(total_images=4, validate_every=4))
        settings = config(total_images=4, validate_every=4, start_from=str(start), square_px=128)
        state = run(world, then, settings)
    cards.write(tmp_path / "card.md", then / "weights.safetensors", state, settings)
    said = " ".join(parts(tmp_path / "card.md")[1].split())
    assert f"images seen of 4, in squares of 128 pixels; it started from the generator of `{start}`" in said
    assert "discriminator `patch70` of the picture" in said


def test_the_card_of_pairs(tmp_path):
    folder = make_pairs(tmp_path / "one", 4)
    cards.write_of_pairs(folder / "card.md", folder)
    matter, text = parts(folder / "card.md")
    assert (matter["license"], matter["size_categories"]) == ("cc0-1.0", ["n<1K"])
    assert "4 pairs of elevation and imagery: squares of 51.2 km, 256 x 256 pixels of 200 m" in text
    assert "| 4 | 0.0% | 0.0% | 10.00 | 10.50 | 0.00 | 2.00 |" in text
    assert all(f"\n## {heading}\n" in text for heading in SECTIONS[1:])


def test_a_licence_that_has_no_name_there_is_named_in_full(tmp_path):
    folder = make_pairs(tmp_path / "one", 1)
    made = read(folder / "provenance.json")
    credit = Credit("files", "LicenseRef-WorldClim", "someone: 'quotes' # and more")
    write(Provenance((credit,), made.details), folder / "provenance.json")
    cards.write_of_pairs(folder / "card.md", folder)
    matter, text = parts(folder / "card.md")
    assert (matter["license"], matter["license_name"]) == ("other", "worldclim")
    assert credit.attribution in text
