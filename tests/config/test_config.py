"""The configuration: one line per mistake, YAML without traps, and what each stage depends on."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from terraform.config import Config, load, overlay, parse, schema_yaml
from terraform.config.strict_yaml import plain, read_yaml
from terraform.errors import ConfigError
from terraform.workflow.stages import relevant, relevant_climate, relevant_source, source_settings

ROOT = Path(__file__).parents[2]


def written(folder: Path, text: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"train": {"imags": 5}}, "total_images"), ({"train": {"lr": 0.1}}, "learning_rate"),
        ({"trian": {}}, "train"), ({"shoreline_m": 5}, "mosaics.elevation.shoreline_m"),
        ({"mosaics": {"shoreline": 5}}, "mosaics.elevation.shoreline_m"), ({"regions": {"exlude": []}}, "exclude"),
        ({"images": 5}, "train.total_images"), ({"mosaics": {"width": 5}}, "train.width"),
    ],
)  # fmt: skip
def test_the_setting_that_was_meant_is_named(given, meant):
    with pytest.raises(ConfigError, match=rf"do you mean {meant}\?"):
        parse(given)


def test_every_mistake_is_one_line_with_path_value_and_what_is_allowed():
    with pytest.raises(ConfigError) as caught:
        parse(
            {
                "train": {"learning_rate": -1, "network": "resnet", "rat": 1},
                "run": "../up",
                "pairs": {"max_sea": "much"},
            }
        )
    lines = str(caught.value).splitlines()
    assert len(lines) == 5
    assert any("train.learning_rate" in line and "-1" in line and "greater than 0" in line for line in lines)
    assert any("train.network" in line and "'resnet'" in line and "'unet_fc'" in line for line in lines)
    assert any("train.rat:" in line and "unknown setting" in line for line in lines)
    assert any("run" in line and "../up" in line for line in lines)
    assert any("pairs.max_sea" in line and "much" in line for line in lines)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_are_finite(value):
    with pytest.raises(ConfigError, match=r"train\.lambda_l1"):
        parse({"train": {"lambda_l1": value}})


def test_settings_that_contradict_each_other():
    with pytest.raises(ConfigError, match="high_m 100 must be above low_m 200"):
        parse({"sheet": {"low_m": 200, "high_m": 100}})


def test_a_mistake_in_a_source_names_its_place():
    with pytest.raises(ConfigError, match=r"sources\.earth\.elevation\.nodata_means: given 'lake'"):
        parse({"sources": {"earth": {"elevation": {"source": "files", "path": "x.tif", "nodata_means": "lake"}}}})
    for wrong, told in (({"source": "nasa"}, "'nasa'"), ({"path": "x.tif"}, "None")):
        with pytest.raises(
            ConfigError, match=rf"earth\.elevation\.source: given {told}, expected one of sample, files"
        ):
            parse({"sources": {"earth": {"elevation": wrong}}})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 1e-4), ("2E3", 2e3), ("NO", "NO"), ("on", "on"), ("yes", "yes"), ("true", True), ("False", False),
        ("12:30:45", "12:30:45"), ("1_000", "1_000"), ("0x10", "0x10"), ("-7", -7), ("null", None), ("~", None),
        ("2020-01-01", "2020-01-01"), (".5", 0.5),
    ],
)  # fmt: skip
def test_scalars_are_what_they_look_like(tmp_path, text, value):
    assert read_yaml(written(tmp_path, f"key: {text}\n")) == {"key": value}
    assert plain(text) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("run: a\nrun: b\n", "line 2: 'run' is set twice"),
        ("train: {learning_rate: 1}\ntrain: {width: 8}\n", "'train' is set twice"),
        ("a: &x [1]\nb: *x\n", "aliases"),
        ("a: !!python/object/apply:os.system [id]\n", "uses tags"),
        ("__use_yte__: true\n", "would run code"),
        ("- a\n- b\n", "holds a list"),
        ("a: [1\n", "not valid YAML"),
        ("{[1]: 2}\n", "plain name"),
    ],
)
def test_yaml_that_is_refused(tmp_path, text, message):
    with pytest.raises(ConfigError, match=message):
        read_yaml(written(tmp_path, text))


def test_unreadable_files(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        read_yaml(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"a: \xff\n")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_yaml(tmp_path / "latin.yaml")
    with pytest.raises(ConfigError, match="larger than"):
        read_yaml(written(tmp_path, "a: " + "x" * 1_000_001))
    assert read_yaml(written(tmp_path, "# nothing\n")) == {}


scalars = (
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(-1e9, 1e9) | st.text("abcNO ", max_size=5)
)
trees = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=3)
)


@given(document=st.dictionaries(st.text("abc", min_size=1, max_size=4), trees, max_size=4))
def test_what_yaml_writes_is_read_back(tmp_path_factory, document):
    path = written(tmp_path_factory.mktemp("yaml"), yaml.safe_dump(document))
    try:
        assert read_yaml(path) == document
    except ConfigError as error:
        assert "aliases" in str(error)


def test_overlays_merge_sections_and_replace_sources_whole(tmp_path):
    base, over = tmp_path / "base.yaml", tmp_path / "over.yaml"
    base.write_text(
        "train: {width: 8, total_images: 9}\nsources: {earth: {elevation: {source: files, path: a, crs: X}}}\n"
    )
    over.write_text("train: {width: 16}\nsources: {earth: {elevation: {source: files, path: b}}}\n")
    config = load(base, over)
    assert (config.train.width, config.train.total_images) == (16, 9)
    assert config.sources.earth.elevation.path == "b"
    assert config.sources.earth.elevation.crs is None


@given(base=st.dictionaries(st.text("ab"), trees), over=st.dictionaries(st.text("ab"), trees))
def test_an_overlay_wins_and_changes_nothing_else(base, over):
    merged = overlay(base, over)
    assert set(merged) == {*base, *over}
    assert all(merged[key] == base[key] for key in base if key not in over)
    assert overlay(merged, over) == merged


def test_the_configurations_that_ship_are_valid():
    default = load(ROOT / "config.yaml")
    assert default.sources.earth.imagery.source == "sample"
    own = load(ROOT / "config.yaml", ROOT / "workflow/config/files.yaml")
    assert own.split.validation == ["nw"]
    assert own.sources.mars.elevation.path[1].endswith("megt90n000cb.lbl")


def test_the_schema_is_that_of_the_code():
    committed = (ROOT / "workflow/schemas/config.schema.yaml").read_text(encoding="utf-8")
    assert committed == schema_yaml(), "run `make schema`"


def test_the_schema_describes_every_setting_and_refuses_unknown_ones():
    schema = yaml.safe_load(schema_yaml())
    for section in [schema, *schema["$defs"].values()]:
        assert section["additionalProperties"] is False
        assert section["description"]
        assert all("description" in setting or "$ref" in setting for setting in section["properties"].values())


def changed(**sections):
    return parse(sections)


@pytest.mark.parametrize(
    ("sections", "stages"),
    [
        ({"pairs": {"max_sea": 0.5}}, {"cut"}),
        ({"sheet": {"pairs": 5}}, {"sheet"}),
        ({"sheet": {"high_m": 8000}}, {"sheet"}),
        ({"train": {"learning_rate": 1e-3}}, {"train"}),
        ({"condition": {"resolution_m": 2000}}, {"train"}),
        ({"train": {"device": "cpu"}}, set()),
        ({"train": {"checkpoint_every": 7}}, set()),
        ({"mosaics": {"regions": ["mars"]}}, set()),
        ({"mosaics": {"device": "cpu"}}, set()),
        ({"mosaics": {"elevation": {"shoreline_m": -1500}}}, {"mosaic"}),
        ({"split": {"test": ["italy"]}}, {"train", "evaluate", "base model"}),
        ({"split": {"validation": ["italy"]}}, {"train", "evaluate", "base model"}),
        ({"run": "other"}, set()),
        ({"basemap": {"month": 7}}, {"base colours"}),
        ({"basemap": {"sea": {"ice_c": -2}}}, {"base colours"}),
        ({"basemap": {"training": {"steps": 9}}}, {"base model"}),
        ({"basemap": {"match": ["cali"]}}, {"base model"}),
        ({"basemap": {"leave_out": False}, "split": {"test": ["italy"]}}, {"train", "evaluate"}),
        ({"basemap": {"roughness_m": 9000}}, {"base model", "base colours"}),
        ({"climate": {"mars": {"wetness": 2}}}, set()),
        ({"planet": {"bodies": ["mars"]}}, set()),
    ],
)
def test_a_setting_concerns_its_own_stages(sections, stages):
    names = ("cut", "sheet", "train", "evaluate", "base model", "base colours", "mosaic")
    assert {name for name in names if relevant(changed(**sections), name) != relevant(Config(), name)} == stages


def test_the_colormap_concerns_training_only_where_it_is_the_encoding():
    turbo = {"condition": {"encoding": "turbo"}}
    base = changed(**turbo)
    assert relevant(base, "train") != relevant(changed(**turbo, sheet={"high_m": 8000}), "train")
    assert relevant(base, "train") == relevant(changed(**turbo, sheet={"pairs": 5}), "train")
    unused = {"condition": {"encoding": "turbo", "channels": ["sea"]}}
    assert relevant(base, "train") == relevant(changed(**unused), "train")


def test_a_source_depends_on_its_own_settings():
    files = {"source": "files", "path": "{rasters}/a.tif"}
    one = changed(sources={"earth": {"elevation": files}})
    assert relevant_source(one, "earth", "imagery") == relevant_source(Config(), "earth", "imagery")
    assert relevant_source(changed(seed=1), "earth", "imagery") != relevant_source(Config(), "earth", "imagery")
    assert relevant_source(one.model_copy(update={"seed": 1}), "earth", "elevation") == relevant_source(
        one, "earth", "elevation"
    )
    assert relevant_source(one.model_copy(update={"rasters": "x"}), "earth", "elevation") != relevant_source(
        one, "earth", "elevation"
    )
    with pytest.raises(ConfigError, match="mars has no imagery"):
        source_settings(one, "mars", "imagery")


@pytest.mark.parametrize(
    ("sections", "bodies"),
    [
        ({"climate": {"mars": {"wetness": 2}}}, {"mars"}),
        ({"climate": {"mars": {"mean_temperature_c": 20}}}, {"mars"}),
        ({"climate": {"earth": {"wetness": 2}}}, set()),  # Earth's is observed
        ({"climate": {"earth": {"shoreline_m": 70}}}, {"earth"}),
        ({"mosaics": {"elevation": {"shoreline_m": -1000}}}, {"mars"}),
        ({"planet": {"climate_cells_per_degree": 1}}, {"earth", "mars"}),
        ({"sources": {"earth": {"planet": {"temperature": None, "precipitation": None}}}}, {"earth"}),
    ],
)
def test_a_knob_concerns_the_climate_of_its_body(sections, bodies):
    after = changed(**sections)
    assert {
        body for body in ("earth", "mars") if relevant_climate(after, body) != relevant_climate(Config(), body)
    } == bodies


def test_a_body_keeps_its_own_climate_beside_what_is_set():
    mars = changed(climate={"mars": {"orbit": {"obliquity_deg": 40}}}).climate.mars
    assert (mars.orbit.obliquity_deg, mars.orbit.year_days, mars.gravity_m_s2) == (40, 686.98, 3.721)
    assert changed(climate={"mars": {}}).climate.mars == Config().climate.mars
    with pytest.raises(ConfigError, match=r"climate\.mars\.wetnes: unknown setting"):
        changed(climate={"mars": {"wetnes": 1}})
    with pytest.raises(ConfigError, match=r"climate\.venus: unknown setting"):
        changed(climate={"venus": {"wetness": 1}})


def test_one_shoreline_serves_mosaics_and_climate():
    one = changed(mosaics={"elevation": {"shoreline_m": -4500}})
    other = changed(climate={"mars": {"shoreline_m": -1200}})
    both = changed(mosaics={"elevation": {"shoreline_m": -4500}}, climate={"mars": {"shoreline_m": -1200}})
    assert (one.climate.mars.shoreline_m, other.mosaics.elevation.shoreline_m) == (-4500, -1200)
    assert (both.climate.mars.shoreline_m, both.mosaics.elevation.shoreline_m) == (-1200, -4500)
    assert changed(**one.model_dump(mode="json")) == one


def test_half_a_climate_is_refused():
    with pytest.raises(ConfigError, match=r"sources\.mars\.planet: give both temperature and precipitation"):
        changed(sources={"mars": {"planet": {"temperature": {"source": "sample"}}}})
