"""What each stage of the workflow depends on besides its files: the settings that matter and the code that runs."""

import hashlib
import json
from pathlib import Path
from typing import Any

from terraform.config import Config, FilesSource, SampleSource, Tile
from terraform.digest import Stage, code_digest, stage_digest
from terraform.errors import ConfigError
from terraform.sources import Kind, PlanetKind, module_of

_ROOT = Path(__file__).parents[1]
_ONLY_WHERE = {"base_url", "coarse_url", "archive_url", "hosts", "connections", "window_px", "request_px"}
"""Settings of remote sources that say where and how fast: what comes is the same."""


def relevant(config: Config, stage: Stage) -> str:
    """Write the settings on which a stage's results depend, as canonical JSON.

    `config` has its split filled in (`terraform.workflow.plan.planned`): a region's change of role retrains.
    """
    chosen: dict[Stage, dict[str, Any]] = {
        "cut": {"pairs": config.pairs, **_of_tile(config)},
        "sheet": {"sheet": config.sheet},
        "train": {**config.of_training(), "split": config.split},
        "evaluate": {"split": config.split, "seed": config.seed, "evaluation": config.evaluation},
        "base model": _of_base_model(config),
        "base colours": {"basemap": config.basemap.model_dump(mode="json", exclude={"training", "match", "leave_out"})},
        "mosaic": {"mosaics": config.mosaics.of_drawing()},
    }
    return _canonical(chosen[stage])


def relevant_climate(config: Config, body: str) -> str:
    """Write the settings on which a body's climate depends, as canonical JSON: of an observed one, few."""
    model = getattr(config.climate, body)
    if is_observed(config, body):
        model = {name: getattr(model, name) for name in ("shoreline_m", "gravity_m_s2", "lapse_rate_k_per_km")}
    return _canonical({"climate": model, "cells_per_degree": config.planet.climate_cells_per_degree})


def is_observed(config: Config, body: str) -> bool:
    """Whether a body's climate comes from rasters, not from the model."""
    return getattr(config.sources, body).planet.temperature is not None


def relevant_source(config: Config, body: str, kind: Kind) -> str:
    """Write the settings of one body's elevation or imagery, as canonical JSON."""
    return _of_source(config, source_settings(config, body, kind), **_of_tile(config))


def relevant_planet_source(config: Config, body: str, kind: PlanetKind) -> str:
    """Write the settings of one raster of a whole body, as canonical JSON."""
    cells = getattr(config.sources, body).planet.cells_per_degree
    return _of_source(config, planet_settings(config, body, kind), cells_per_degree=cells)


def _of_tile(config: Config) -> dict[str, Any]:
    """Name the size of a tile where it is not the default: what was made before it could be set is as it was."""
    return {} if config.tile == Tile() else {"tile": config.tile}


def _of_source(config: Config, source: Any, **more: Any) -> str:
    chosen: dict[str, Any] = {"source": source.model_dump(mode="json", exclude=_ONLY_WHERE)}
    if isinstance(source, SampleSource):
        chosen["seed"] = config.seed
    elif isinstance(source, FilesSource) and "{rasters}" in str(source.path):
        chosen["rasters"] = config.rasters
    return _canonical({**chosen, **more})


def source_settings(config: Config, body: str, kind: Kind) -> Any:
    """Look up the configured source of a body's elevation or imagery.

    Raises
    ------
    ConfigError
        The body has none: there is no imagery of a living Mars.
    """
    source = getattr(getattr(config.sources, body), kind, None)
    if source is None:
        raise ConfigError(f"{body} has no {kind}: a region of {body} can only have the role mosaic")
    return source


def planet_settings(config: Config, body: str, kind: PlanetKind) -> Any:
    """Look up the configured source of a raster of a whole body.

    Raises
    ------
    ConfigError
        The body has none.
    """
    source = getattr(getattr(config.sources, body).planet, kind, None)
    if source is None:
        raise ConfigError(f"sources.{body}.planet has no {kind}: name a source for it")
    return source


def code(stage: Stage) -> str:
    """Compute the digest of the code whose edits change a stage's results."""
    return stage_digest(stage)


def source_code(config: Config, body: str, kind: Kind) -> str:
    """Compute the digest of the code that fetches one body's elevation or imagery: its own source, not the others."""
    source = module_of(source_settings(config, body, kind).source)
    return code_digest(["terraform.sources.fetch", source])


def planet_source_code(config: Config, body: str, kind: PlanetKind) -> str:
    """Compute the digest of the code that fetches one raster of a whole body."""
    source = module_of(planet_settings(config, body, kind).source)
    return code_digest(["terraform.sources.fetch", source])


def held_out(config: Config) -> list[str]:
    """Name the regions that the base model does not learn from."""
    return sorted({*config.split.validation, *config.split.test}) if config.basemap.leave_out else []


def viewer_code() -> str:
    """Compute the digest of the code and of the page of the viewer."""
    return _page_code("terraform.viewer.export", _ROOT / "viewer/page", _ROOT / "viewer/vendor")


def report_code() -> str:
    """Compute the digest of the code and of the template of the report."""
    return _page_code("terraform.report.page", _ROOT / "report/page")


def _page_code(module: str, *folders: Path) -> str:
    # Not asked of the packages: the viewer's import would bring torch into every process of Snakemake.
    files = sorted(path for folder in folders for path in folder.iterdir())
    digest = hashlib.sha256(code_digest([module]).encode())
    for path in files:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _of_base_model(config: Config) -> dict[str, Any]:
    return {
        "seed": config.seed,
        "basemap": config.basemap.model_dump(
            mode="json", include={"training", "match", "roughness_m", "surroundings_m"}
        ),
        "left_out": held_out(config),
    }


def _canonical(settings: dict[str, Any]) -> str:
    return json.dumps(settings, sort_keys=True, default=lambda section: section.model_dump(mode="json"))
