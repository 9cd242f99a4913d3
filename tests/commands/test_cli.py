"""The command line: one message and an exit code for what the user can mend, files only where asked for."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import rasterio
from children import call_command
from typer.testing import CliRunner

from terraform.__main__ import app
from terraform.commands.options import by_role
from terraform.config import Config, parse
from terraform.errors import ConfigError

ROOT = Path(__file__).parents[2]
TERRAFORM = [sys.executable, "-m", "terraform"]
COMMANDS = ["doctor", "fetch", "cut", "sheet", "export-pairs", "train", "evaluate", "generate", "prune", "clean"]


def refused(done: subprocess.CompletedProcess[str], exit_code: int, *words: str) -> None:
    """One message on stderr, no traceback."""
    assert done.returncode == exit_code, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("error: ")
    for word in words:
        assert word in done.stderr


@pytest.fixture
def place(tmp_path) -> Path:
    """A working folder with the configuration and regions that ship."""
    for name in ("config.yaml", "regions.geojson"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    return tmp_path


def test_every_command_is_listed_and_explains_itself(tmp_path):
    listed = call_command(tmp_path, "--help").stdout
    assert all(name in listed for name in COMMANDS)
    assert "schema" not in listed
    done = call_command(tmp_path, "generate", "--help")
    assert all(
        option in done.stdout
        for option in ("--weights", "--elevation", "--output", "--window", "--device", "--policy", "--shoreline")
    )


def test_the_start_is_light(tmp_path):
    heavy = ["torch", "rasterio", "shapely", "matplotlib", "geopandas", "snakemake"]
    program = f"import sys, terraform.__main__; print([n for n in {heavy!r} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_geodata_left_over_from_another_installation_does_no_harm(place):
    """As when PROJ_DATA of a conda environment is still set, with an older database in it."""
    foreign = place / "elsewhere"
    foreign.mkdir()
    (foreign / "proj.db").write_bytes(b"of another version")
    (foreign / "gdalvrt.xsd").write_text("")
    variables = dict.fromkeys(("PROJ_DATA", "PROJ_LIB", "GDAL_DATA"), str(foreign))
    done = subprocess.run(
        [*TERRAFORM, "fetch", "--region", "korolev", "--what", "elevation", "--output", "e.tif"],
        cwd=place, capture_output=True, text=True, env={**os.environ, **variables},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    with rasterio.open(place / "e.tif") as dataset:
        assert "Mars" in dataset.crs.to_wkt()


def test_wrong_usage_is_exit_code_2(tmp_path):
    assert call_command(tmp_path, "fetch", "--what", "smell").returncode == 2


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["genrate"], "generate"), (["config", "shwo"], "show"), (["render_planet"], "render-planet"),
        (["generate", "--elevaton", "e.tif"], "--elevation"), (["train", "--contine"], "--continue"),
        (["generate", "--nodata-means", "seas"], "'sea'"),
    ],
)  # fmt: skip
def test_what_was_meant_is_suggested(arguments, meant):
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 2 and meant in done.output


def test_without_arguments_the_commands_are_listed():
    assert all(name in CliRunner().invoke(app, []).output for name in COMMANDS)


def test_an_unknown_region_is_named_with_the_known_ones(place):
    done = call_command(place, "fetch", "--region", "atlantis", "--what", "elevation", "--output", "x.tif")
    refused(done, 2, "atlantis", "cali")


def test_a_missing_configuration_is_named(tmp_path):
    refused(call_command(tmp_path, "sheet", "pairs", "--output", "x.jpg"), 2, "config.yaml")


def test_a_wrong_configuration_is_one_line_a_mistake(place):
    (place / "over.yaml").write_text("train: {rat: 1, learning_rate: fast}\n")
    done = call_command(
        place, "sheet", "pairs", "--output", "x.jpg", "--config", "config.yaml", "--config", "over.yaml"
    )
    refused(done, 2, "config.yaml + over.yaml: train.learning_rate", "train.rat: unknown setting")


def test_missing_pairs_are_an_input_error(place):
    refused(call_command(place, "sheet", "nowhere", "--output", "x.jpg"), 3, "nowhere")
    assert not (place / "x.jpg").exists()


def test_missing_weights_are_an_input_error(place):
    done = call_command(place, "generate", "--weights", "w.safetensors", "--elevation", "e.tif", "--output", "o.tif")
    refused(done, 3, "w.safetensors")


def test_generating_without_a_configuration_uses_the_defaults(tmp_path):
    done = call_command(tmp_path, "generate", "--weights", "w.safetensors", "--elevation", "e.tif", "--output", "o.tif")
    refused(done, 3, "w.safetensors")


@pytest.mark.parametrize(
    ("option", "value", "word"),
    [("--policy", "melt", "policy"), ("--window", 3, "window_px"), ("--device", "tpu", "device")],
)
def test_options_of_generate_are_checked_like_the_configuration(tmp_path, option, value, word):
    arguments = ["--weights", "w", "--elevation", "e.tif", "--output", "o.tif", option, value]
    refused(call_command(tmp_path, "generate", *arguments), 2, "command line", word)


def test_pairs_of_no_known_region_are_refused(place):
    refused(call_command(place, "train", "somewhere", "--output", "model"), 2, "somewhere")


def test_pairs_without_a_role_are_told_how_to_get_one(tmp_path, monkeypatch):
    """As where `evaluate` runs outside a checkout."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"regions\.geojson.*config set 'split\.test=\[italy\]'"):
        by_role(Config(), [tmp_path / "italy"])
    assert by_role(parse({"split": {"test": ["italy"]}}), [tmp_path / "italy"])["test"] == [tmp_path / "italy"]


def test_without_a_configuration_the_defaults_are_shown(tmp_path):
    done = call_command(tmp_path, "config", "show", "train.batch")
    assert (done.returncode, done.stdout) == (0, "train.batch: 4  # default\n")


def test_imagery_of_mars_is_refused(place):
    refused(call_command(place, "fetch", "--region", "korolev", "--what", "imagery", "--output", "x.tif"), 2, "mars")


def test_prune_lists_first_and_removes_only_what_is_gone(place):
    gone = [
        "resources/earth/atlantis",
        "results/pairs/atlantis",
        "results/mars/default/atlantis",
        "resources/mars/cali",
    ]
    kept = ["resources/earth/cali", "results/pairs/cali", "results/mars/default/olympus", "results/model/default"]
    for name in (*gone, *kept):
        (place / name).mkdir(parents=True)
    listed = call_command(place, "prune").stdout
    assert all(name in listed for name in gone)
    assert not any(f"{name}\n" in listed for name in kept)
    assert all((place / name).exists() for name in gone)
    call_command(place, "prune", "--yes")
    assert not any((place / name).exists() for name in gone)
    assert all((place / name).exists() for name in kept)


def test_prune_follows_no_link_and_stops_at_a_wrong_regions_file(place, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (place / "results/pairs").mkdir(parents=True)
    (place / "results/pairs/atlantis").symlink_to(elsewhere)
    assert "nothing to remove" in call_command(place, "prune", "--yes").stdout
    (place / "results/pairs/gone").mkdir()
    (place / "regions.geojson").write_text("{}")
    refused(call_command(place, "prune", "--yes"), 2, "regions.geojson")
    assert (place / "results/pairs/gone").exists()


def test_clean_keeps_downloads_unless_asked(place):
    for name in ("results/model", "logs", "resources/earth/cali"):
        (place / name).mkdir(parents=True)
    assert "run it again with --yes" in call_command(place, "clean").stdout
    assert (place / "results").exists()
    call_command(place, "clean", "--yes")
    assert not (place / "results").exists()
    assert (place / "resources/earth/cali").exists()
    call_command(place, "clean", "--downloads", "--yes")
    assert not (place / "resources").exists()


def test_a_terminated_command_ends_with_143_and_leaves_nothing_half_written(place):
    output = place / "resources/mars.tif"
    fetch = [*TERRAFORM, "fetch", "--region", "mars", "--what", "elevation", "--output", str(output)]
    running = subprocess.Popen(fetch, cwd=place, stderr=subprocess.PIPE)
    end = time.monotonic() + 60
    while not list(place.glob("resources/.*.part-*")) and time.monotonic() < end:
        assert running.poll() is None
        time.sleep(0.05)
    running.send_signal(signal.SIGTERM)
    _, error = running.communicate(timeout=60)
    assert running.returncode == 143
    assert b"Traceback" not in error
    assert list(place.glob("resources/*")) + list(place.glob("resources/.*.part-*")) == []
