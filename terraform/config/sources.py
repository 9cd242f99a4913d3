"""Where each body's elevation and imagery come from, and the rasters of the whole body."""

from typing import Annotated, Literal, get_args

from pydantic import Field, model_validator

from terraform.config.section import Section
from terraform.config.services import (
    BlueMarbleSource,
    CopernicusSource,
    EarthEngineSource,
    HrscMolaSource,
    MolaSource,
    Mosaic120Source,
    OpenTopographySource,
    S2CloudlessSource,
    TerrariumSource,
    WorldClimSource,
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
    unit: Literal["m", "km", "ft", "us-ft"] | None = None
    """Unit of heights, when the file does not say it."""
    licence: str = "LicenseRef-Unknown"
    """SPDX identifier; an unknown licence counts as the most restrictive."""
    attribution: str = "own rasters"
    """Text to show with whatever is derived from them."""


class PlanetFilesSource(FilesSource):
    """One's own rasters of a whole body: GeoTIFF, NetCDF (such as ExoPlaSim's), or any other that `files` reads."""

    unit: (
        Literal["m", "km", "ft", "us-ft", "degC", "K", "0.1degC", "mm/month", "mm/day", "kg m-2 s-1", "m/s"] | None
    ) = None  # type: ignore[assignment]  # a body has a climate too
    """Unit of heights, temperature or precipitation where the file does not state it; 0.1degC: of stored integers."""
    bands: list[int] | None = Field(None, min_length=12, max_length=12)
    """Bands of January to December, counted from 1, over all files in their order; by default there are twelve."""
    first_month_band: int | None = Field(None, ge=1)
    """Band of January, where the other months follow it."""
    month: int = Field(0, ge=0, le=12)
    """Month of imagery, 1 is January; 0 is a composite of the year."""
    combine: Literal["fill", "darkest"] = "fill"
    """How a list becomes one raster: `fill`: the next fills what is missing; `darkest`: pictures of several months,
    channel by channel the darkest of them, a composite of the year."""
    variable: str | None = Field(None, pattern=r"^[A-Za-z_]\w{0,99}$")
    """Variable of a NetCDF; by default tas, ts or t2m for temperature, pr for precipitation, or the only one."""

    @model_validator(mode="after")
    def _one_month(self) -> "PlanetFilesSource":
        if self.combine == "darkest" and self.month:
            raise ValueError(f"combine: darkest makes a composite of the year, month says {self.month}: leave one out")
        return self


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

AnyPlanetSource = Annotated[
    SampleSource
    | PlanetFilesSource
    | TerrariumSource
    | S2CloudlessSource
    | BlueMarbleSource
    | WorldClimSource
    | MolaSource,
    Field(discriminator="source"),
]
"""Every source that has rasters of a whole body."""


def _names(union: object) -> list[str]:
    return [get_args(of.model_fields["source"].annotation)[0] for of in get_args(get_args(union)[0])]


SOURCES: tuple[str, ...] = tuple(dict.fromkeys([*_names(AnySource), *_names(AnyPlanetSource)]))
"""Names of all sources."""


class PlanetSources(Section):
    """Rasters of a whole body, plate carree."""

    cells_per_degree: float = Field(12, gt=0, le=60)
    """Cells along one degree; 12 are 9.3 km on Earth and 4.9 km on Mars."""
    elevation: AnyPlanetSource = SampleSource()
    """Heights."""
    temperature: AnyPlanetSource | None = None
    """Temperature of the twelve months; without it, that of the climate model."""
    precipitation: AnyPlanetSource | None = None
    """Precipitation of the twelve months; without it, that of the climate model."""


class EarthPlanetSources(PlanetSources):
    """Rasters of the whole Earth: what the base model learns from."""

    imagery: AnyPlanetSource = SampleSource()
    """Colours."""
    temperature: AnyPlanetSource | None = SampleSource()
    """Temperature of the twelve months."""
    precipitation: AnyPlanetSource | None = SampleSource()
    """Precipitation of the twelve months."""


class EarthSources(Section):
    """Where Earth comes from."""

    elevation: AnySource = SampleSource()
    """Heights."""
    imagery: AnySource = SampleSource()
    """Colours."""
    planet: EarthPlanetSources = EarthPlanetSources()
    """Rasters of the whole Earth."""


class MarsSources(Section):
    """Where Mars comes from."""

    elevation: AnySource = SampleSource()
    """Heights."""
    planet: PlanetSources = PlanetSources()
    """Rasters of the whole Mars."""


class Sources(Section):
    """The upstream data of each body."""

    earth: EarthSources = EarthSources()
    """Earth."""
    mars: MarsSources = MarsSources()
    """Mars."""
