"""What is drawn of another body, and how its heights and climate are told to the generator."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from terraform.config.section import Name, Section


class Elevation(Section):
    """How heights of another body become heights that the generator knows; Earth's stay as they are."""

    policy: Literal["clip", "sea_level", "affine", "quantile", "relief"] = "sea_level"
    """`clip`: as they are. `sea_level`: flood below the shoreline. `affine`: stretch the land to `top_m`. `quantile`:
    match Earth's land heights. `relief`: local relief only."""
    shoreline_m: float = Field(0.0, ge=-1e6, le=1e6)
    """Height of the shoreline above the body's datum, metres; what lies below it is sea (not for `clip`)."""
    top_m: float = Field(8000.0, gt=0, le=1e6)
    """Height that `affine` gives to the highest land, metres."""


class Climate(Section):
    """The climate that the generator is conditioned on, by another latitude; Earth keeps its own.

    Only a generator that learnt with a channel of latitude or temperature is affected.
    """

    latitude_shift_deg: float = Field(0.0, ge=-90, le=90)
    """Added to every latitude, degrees: positive moves the climate belts south, so that the north is colder."""
    latitude_scale: float = Field(1.0, ge=0, le=3)
    """Factor of the latitude: below 1 a warmer planet, above 1 a colder one; 0 is the equator everywhere."""
    sun_azimuth_deg: float | None = Field(None, ge=0, lt=360)
    """Where the light of the hillshade comes from, degrees clockwise from north; null: the sun of `condition`."""


class Viewer(Section):
    """The page that shows a planet in the browser."""

    from_cog: bool = False
    """Read the body's mosaics from their files by byte ranges, without tiles of them, for large mosaics on a web
    server; such a page does not work from disk."""


class Mosaics(Section):
    """What to draw."""

    regions: list[Name] | None = None
    """Regions to draw; null: those with the role `mosaic` that take part. A list draws exactly these, any region of the
    file, of any body and role."""
    elevation: Elevation = Elevation()
    """From the body's heights to those the generator knows."""
    climate: Climate = Climate()
    """What the generator is told of latitude and sun."""
    grid: Literal["equirectangular", "polar", "input"] = "equirectangular"
    """The map: equirectangular (IAU_2015:49910 on Mars), polar stereographic for regions near a pole, or the grid of
    the elevation itself."""
    window_px: int = Field(1280, ge=256, le=65_536)
    """Side of the generator's windows, pixels."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """Arithmetic of the generator; bf16 is twice as fast where the processor has it, and within a level of 255."""
    compression: Literal["zstd", "deflate", "jpeg", "webp"] = "deflate"
    """Compression of the mosaic."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to draw."""
    jobs: int = Field(1, ge=1, le=1000)
    """Jobs of the workflow that draw one mosaic, each a part of its strips, on a GPU or a machine of its own; one more
    joins them into the same file. Changing it draws once more."""

    ONLY_HOW: ClassVar = frozenset({"regions", "device", "jobs"})
    """Settings that say which and where, not what: the mosaic of a region is the same."""
    ONLY_FILE: ClassVar = frozenset({"compression"})
    """Settings of the file that is written from the strips: these are the same."""

    def of_drawing(self) -> dict[str, Any]:
        """Collect the settings on which a mosaic depends, as values that JSON holds."""
        return self.model_dump(mode="json", exclude=set(self.ONLY_HOW))

    def of_strips(self) -> dict[str, Any]:
        """Collect the settings on which the strips of an unfinished mosaic depend, as values that JSON holds."""
        return self.model_dump(mode="json", exclude=set(self.ONLY_HOW | self.ONLY_FILE))
