"""What each stage of the workflow depends on besides its files: the settings that matter and the code that runs."""

import json
from typing import Any, Literal

from terraform.config import Config, FilesSource, SampleSource
from terraform.digest import code_digest
from terraform.errors import ConfigError
from terraform.sources import Kind, module_of

Stage = Literal["cut", "sheet", "train", "evaluate", "mosaic"]

_MODULES: dict[Stage, str] = {
    "cut": "terraform.pairs.cut",
    "sheet": "terraform.pairs.sheet",
    "train": "terraform.learn.train",
    "evaluate": "terraform.learn.evaluate",
    "mosaic": "terraform.mosaic.region",
}

_PLUMBING = (
    "terraform.errors",
    "terraform.storage.atomic_write",
    "terraform.provenance",
    "terraform.config",
    "terraform.config.strict_yaml",
)
"""Modules whose edits do not change results. Settings reach a stage by `relevant`, with their defaults filled in."""

_PRESENTATION = ("terraform.show",)
"""Plots made on the way: editing them must not retrain."""

_ONLY_WHERE = {"base_url", "coarse_url", "archive_url", "hosts", "connections", "window_px", "request_px"}
"""Settings of remote sources that say where and how fast: what comes is the same."""


def relevant(config: Config, stage: Stage) -> str:
    """The settings on which a stage's results depend, as canonical JSON.

    `config` has its split filled in (`terraform.workflow.plan.planned`): a region's change of role retrains.
    """
    chosen: dict[Stage, dict[str, Any]] = {
        "cut": {"pairs": config.pairs},
        "sheet": {"sheet": config.sheet},
        "train": _of_training(config),
        "evaluate": {"split": config.split, "seed": config.seed},
        "mosaic": {"mosaics": config.mosaics.model_dump(exclude={"regions", "device"})},
    }
    return _canonical(chosen[stage])


def relevant_source(config: Config, body: str, kind: Kind) -> str:
    """The settings of one body's elevation or imagery, as canonical JSON."""
    source = source_settings(config, body, kind)
    chosen: dict[str, Any] = {"source": source.model_dump(mode="json", exclude=_ONLY_WHERE)}
    if isinstance(source, SampleSource):
        chosen["seed"] = config.seed
    elif isinstance(source, FilesSource) and "{rasters}" in str(source.path):
        chosen["rasters"] = config.rasters
    return _canonical(chosen)


def source_settings(config: Config, body: str, kind: Kind) -> Any:
    """The configured source of a body's elevation or imagery.

    Raises
    ------
    ConfigError
        The body has none: there is no imagery of a living Mars.
    """
    source = getattr(getattr(config.sources, body), kind, None)
    if source is None:
        raise ConfigError(f"{body} has no {kind}: a region of {body} can only have the role mosaic")
    return source


def code(stage: Stage) -> str:
    """Digest of the code whose edits change a stage's results."""
    plots = () if stage in ("sheet", "evaluate") else _PRESENTATION
    return code_digest([_MODULES[stage]], without=(*_PLUMBING, *plots))


def source_code(config: Config, body: str, kind: Kind) -> str:
    """Digest of the code that fetches one body's elevation or imagery: its own source, not the others."""
    source = module_of(source_settings(config, body, kind).source)
    return code_digest(["terraform.sources.fetch", source], without=_PLUMBING)


def _of_training(config: Config) -> dict[str, Any]:
    condition = config.condition.model_dump()
    chosen = {
        "seed": config.seed,
        "split": config.split.model_dump(),
        "train": config.train.model_dump(exclude=set(config.train.ONLY_HOW)),
        "condition": condition,
    }
    if config.condition.encoding == "turbo":
        chosen["turbo"] = [config.sheet.low_m, config.sheet.high_m]
        condition.pop("channels")
    return chosen


def _canonical(settings: dict[str, Any]) -> str:
    return json.dumps(settings, sort_keys=True, default=lambda section: section.model_dump(mode="json"))
