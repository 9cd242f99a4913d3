"""What each stage of the workflow depends on besides its files: the settings that matter and the code that runs."""

import json
from typing import Any

from terraform.config import Config, FilesSource, SampleSource
from terraform.digest import Stage, code_digest, stage_digest
from terraform.errors import ConfigError
from terraform.sources import Kind, module_of

_ONLY_WHERE = {"base_url", "coarse_url", "archive_url", "hosts", "connections", "window_px", "request_px"}
"""Settings of remote sources that say where and how fast: what comes is the same."""


def relevant(config: Config, stage: Stage) -> str:
    """The settings on which a stage's results depend, as canonical JSON.

    `config` has its split filled in (`terraform.workflow.plan.planned`): a region's change of role retrains.
    """
    chosen: dict[Stage, dict[str, Any]] = {
        "cut": {"pairs": config.pairs},
        "sheet": {"sheet": config.sheet},
        "train": {**config.of_training(), "split": config.split},
        "evaluate": {"split": config.split, "seed": config.seed},
        "mosaic": {"mosaics": config.mosaics.of_drawing()},
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
    """Compute the digest of the code whose edits change a stage's results."""
    return stage_digest(stage)


def source_code(config: Config, body: str, kind: Kind) -> str:
    """Compute the digest of the code that fetches one body's elevation or imagery: its own source, not the others."""
    source = module_of(source_settings(config, body, kind).source)
    return code_digest(["terraform.sources.fetch", source])


def _canonical(settings: dict[str, Any]) -> str:
    return json.dumps(settings, sort_keys=True, default=lambda section: section.model_dump(mode="json"))
