"""The whole configuration, and how it is read from YAML."""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, model_validator

from terraform.config.basemap import BaseMap
from terraform.config.evaluation import Evaluation
from terraform.config.learning import Condition, Train
from terraform.config.mosaics import Mosaics, Viewer
from terraform.config.pairs import Pairs, Regions, Sheet, Split
from terraform.config.planet import Climates, Planet, one_shoreline
from terraform.config.renames import RENAMES, current
from terraform.config.section import Name, Section, schema_of
from terraform.config.services import Downloads
from terraform.config.sources import SOURCES, Sources
from terraform.config.tile import Tile
from terraform.errors import ConfigError

BODIES = ("earth", "mars")


class Config(Section):
    """The whole configuration."""

    run: Name = "default"
    """Name of the model's results."""
    seed: int = Field(0, ge=0, lt=2**63)
    """Seed of the synthetic world and of everything random."""
    rasters: str = "rasters"
    """Folder of one's own rasters: the `{rasters}` of a path."""
    downloads: Downloads = Downloads()
    """How remote services are asked."""
    regions: Regions = Regions()
    """Which polygons to use."""
    split: Split = Split()
    """Roles that override those of the regions file."""
    sources: Sources = Sources()
    """Upstream data."""
    tile: Tile = Tile()
    """The size of a tile."""
    pairs: Pairs = Pairs()
    """Which pairs are kept."""
    sheet: Sheet = Sheet()
    """The pair sheet and the Turbo colormap."""
    condition: Condition = Condition()
    """What the generator sees."""
    train: Train = Train()
    """How it learns."""
    planet: Planet = Planet()
    """Whole bodies."""
    climate: Climates = Climates()
    """Their climates."""
    basemap: BaseMap = BaseMap()
    """Their base colours."""
    mosaics: Mosaics = Mosaics()
    """What it draws."""
    viewer: Viewer = Viewer()
    """How the browser shows it."""
    evaluation: Evaluation = Evaluation()
    """How it is judged."""

    def of_training(self) -> dict[str, Any]:
        """Collect the settings on which weights depend, those of how to compute them left out.

        Returns
        -------
        dict
            Values that JSON holds, by section. Which regions there are is not in it.
        """
        turbo = self.condition.encoding == "turbo"
        chosen = {
            "seed": self.seed,
            "tile": self.tile.model_dump(mode="json"),
            "train": self.train.of_learning(),
            "condition": self.condition.of_learning(),
        }
        if turbo:
            chosen["sheet"] = {"low_m": self.sheet.low_m, "high_m": self.sheet.high_m}
        return chosen

    @model_validator(mode="before")
    @classmethod
    def _one_shoreline(cls, given: Any) -> Any:
        return one_shoreline(given) if isinstance(given, dict) else given

    @model_validator(mode="after")
    def _consistent(self) -> "Config":
        if self.sheet.high_m <= self.sheet.low_m:
            raise ValueError(f"sheet: high_m {self.sheet.high_m:g} must be above low_m {self.sheet.low_m:g}")
        if self.train.network == "unet256" and self.tile.tile_px % 256:
            raise ValueError(
                f"tile: unet256 halves its input eight times, and tile.tile_px is {self.tile.tile_px}: choose a "
                "multiple of 256 or another train.network"
            )
        if self.train.batch % self.train.gpus:
            raise ValueError(
                f"train: batch {self.train.batch} cannot be divided among {self.train.gpus} gpus: choose a multiple"
            )
        if self.train.halo_px:
            self._check_halo()
        if self.train.square_px:
            self._check_squares()
        if self.condition.tints and self.train.base == "none":
            raise ValueError(
                "condition: tints are laid over base colours, and train.base is none: set train.base to added or "
                "channels, or tints to false"
            )
        if self.train.discriminator_sees == "detail" and self.train.base == "none":
            raise ValueError(
                "train: discriminator_sees is detail, what a picture adds to its base colours, and base is none: set "
                "train.base to added or channels, or discriminator_sees to picture"
            )
        if self.train.start_share and self.train.start_from is None:
            raise ValueError(
                f"train: start_share is {self.train.start_share:g}, and there are no weights to start from: set "
                "train.start_from, or start_share to 0"
            )
        if self.train.detail_gain != 1 and (self.train.base != "added" or self.train.network != "unet_fc"):
            raise ValueError(
                f"train: detail_gain is {self.train.detail_gain:g}, and no detail is added to base colours: "
                "set train.base to added with network unet_fc, or detail_gain to 1"
            )
        for body in BODIES:
            planet = getattr(self.sources, body).planet
            if (planet.temperature is None) != (planet.precipitation is None):
                raise ValueError(f"sources.{body}.planet: give both temperature and precipitation, or neither")
        return self

    def _check_halo(self) -> None:
        halo_px, margin_px = self.train.halo_px, self.tile.margin_px
        if self.train.network != "unet_fc":
            raise ValueError(f"train: halo_px is {halo_px}, and {self.train.network} draws tiles alone: set it to 0")
        if 2 * halo_px > margin_px:
            raise ValueError(
                f"train: halo_px {halo_px} is more than half of tile.margin_px {margin_px}, and relief channels need "
                f"the rest: at most {margin_px // 32 * 16}"
            )
        if self.condition.encoding == "relief" and "sea_distance" in self.condition.channels:
            raise ValueError("train: halo_px leaves sea_distance a narrower margin than mosaics have: set it to 0")

    def _check_squares(self) -> None:
        square_px, tile_px = self.train.square_px, self.tile.tile_px
        if self.train.network == "unet256":
            raise ValueError(f"train: square_px is {square_px}, and unet256 draws whole tiles of 256: set it to 0")
        if tile_px % square_px:
            raise ValueError(f"train: square_px {square_px} does not divide tile.tile_px {tile_px}: choose a divisor")


def parse(document: Mapping[str, Any], name: str = "config.yaml") -> Config:
    """Check a configuration and fill in the defaults.

    Raises
    ------
    ConfigError
        One line per mistake: path, what was given, what is allowed.
    """
    try:
        return Config.model_validate(current(document, name))
    except ValidationError as error:
        raise ConfigError("\n".join(_line(name, mistake) for mistake in error.errors())) from None


def load(*paths: Path | str) -> Config:
    """Read `config.yaml` and overlays, the later ones over the earlier, and check the result."""
    from terraform.config.strict_yaml import read_yaml

    merged: dict[str, Any] = {}
    for path in map(Path, paths):
        merged = overlay(merged, current(read_yaml(path), path.name))
    return parse(merged, " + ".join(Path(path).name for path in paths))


def overlay(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Merge two configurations: sections are merged, anything else is replaced; a source is replaced whole."""
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[key] = overlay(old, value) if both and "source" not in value else value  # type: ignore[arg-type]
    return merged


def schema_yaml() -> str:
    """Write the JSON schema of the configuration as YAML, for editors; `parse` is what checks."""
    import yaml

    text: str = yaml.safe_dump(schema_of(Config), sort_keys=False, width=110)
    return "# Made by `make schema` from terraform/config: do not edit.\n" + text


def _line(name: str, mistake: Any) -> str:
    path = ".".join(str(part) for part in mistake["loc"] if part not in SOURCES) or "(top level)"
    if mistake["type"] == "extra_forbidden":
        # Secrets do not belong here, and what is said here ends in logs.
        secret = re.search("key|token|secret|password|credential", path, re.IGNORECASE)
        given = "" if secret else f" (given {_shown(mistake['input'])})"
        return f"{name}: {path}: unknown setting{given}: remove it or correct its name{_meant(mistake['loc'])}"
    if mistake["type"] in ("union_tag_invalid", "union_tag_not_found"):
        allowed = mistake.get("ctx", {}).get("expected_tags", ", ".join(SOURCES)).replace("'", "")
        return f"{name}: {path}.source: given {_shown(mistake['input'].get('source'))}, expected one of {allowed}"
    if mistake["type"] == "value_error":
        return f"{name}: {mistake['msg'].removeprefix('Value error, ')}"
    return f"{name}: {path}: given {_shown(mistake['input'])}: {mistake['msg'][0].lower()}{mistake['msg'][1:]}"


def _shown(given: Any) -> str:
    """Quote what was given, in short; an address may hold a key."""
    text = repr(given)
    return "an address" if "://" in text else text if len(text) <= 200 else f"{text[:200]}..."


def _meant(place: tuple[Any, ...]) -> str:
    """Suggest a setting whose name is like the one given: of the same section, or else of any."""
    section: Any = Config()
    for part in place[:-1]:
        if part not in SOURCES:
            section = getattr(section, str(part), None)
    given, known = str(place[-1]), list(type(section).model_fields) if isinstance(section, Section) else []
    everywhere = {old.rpartition(".")[2]: new for old, new in RENAMES.items()} | dict(_settings(Config()))
    if given in everywhere:
        return f" (do you mean {everywhere[given]}?)"
    close = get_close_matches(given, known, 1) or [name for name in known if _is_part(given, name)]
    if not close:
        close = [everywhere[name] for name in get_close_matches(given, everywhere, 1, cutoff=0.8)]
    return f" (do you mean {close[0]}?)" if close else ""


def _is_part(given: str, name: str) -> bool:
    """Whether a name is meant by one of its words, or by their initials: `imags` for `total_images`, `lr`."""
    words = name.split("_")
    return given == "".join(word[:1] for word in words) or bool(get_close_matches(given, words, 1, cutoff=0.75))


def _settings(section: Section, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every setting by its last name, with its whole one."""
    for name, value in section:
        yield name, f"{path}{name}"
        if isinstance(value, Section):
            yield from _settings(value, f"{path}{name}.")
