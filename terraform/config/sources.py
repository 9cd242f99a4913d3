"""Where each body's elevation and imagery come from."""

from typing import Annotated, Literal, get_args

from pydantic import Field

from terraform.config.section import Section
from terraform.config.services import (
    CopernicusSource,
    EarthEngineSource,
    HrscMolaSource,
    MolaSource,
    Mosaic120Source,
    OpenTopographySource,
    S2CloudlessSource,
    TerrariumSource,
)


class SampleSource(Section):
    """The embedded synthetic world: offline, deterministic, nothing of it was observed."""

    source: Literal["sample"] = "sample"
    """Name of the source."""


class FilesSource(Section):
    """One's own rasters."""

    source: Literal["files"]
    """Name of the source."""
    path: str | list[str]
    """A file, a folder, or a list of them, finest first, the next fills; `{region}` and `{rasters}` are replaced."""
    nodata_means: Literal["sea", "void"] = "void"
    """What missing elevation stands for."""
    nodata: float | None = None
    """The missing value, when the file does not say it."""
    crs: str | None = None
    """CRS of the file, when it does not say it."""
    licence: str = "LicenseRef-Unknown"
    """SPDX identifier; an unknown licence counts as the most restrictive."""
    attribution: str = "own rasters"
    """Text to show with whatever is derived from them."""


AnySource = Annotated[
    SampleSource
    | FilesSource
    | OpenTopographySource
    | CopernicusSource
    | TerrariumSource
    | Mosaic120Source
    | S2CloudlessSource
    | EarthEngineSource
    | MolaSource
    | HrscMolaSource,
    Field(discriminator="source"),
]
"""Every source, by its name: that of its module in `terraform.sources`."""

SOURCES: tuple[str, ...] = tuple(
    get_args(of.model_fields["source"].annotation)[0] for of in get_args(get_args(AnySource)[0])
)
"""Their names."""


class EarthSources(Section):
    """Where Earth comes from."""

    elevation: AnySource = SampleSource()
    """Heights."""
    imagery: AnySource = SampleSource()
    """Colours."""


class MarsSources(Section):
    """Where Mars comes from."""

    elevation: AnySource = SampleSource()
    """Heights."""


class Sources(Section):
    """The upstream data of each body."""

    earth: EarthSources = EarthSources()
    """Earth."""
    mars: MarsSources = MarsSources()
    """Mars."""
