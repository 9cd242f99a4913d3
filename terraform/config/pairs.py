"""Which regions are used, in which role, and which pairs are kept and shown."""

from pydantic import Field

from terraform.config.section import Name, Section, Share


class Regions(Section):
    """Which polygons to use."""

    file: str = "regions.geojson"
    """GeoJSON file with the regions, relative to the working folder."""
    exclude: list[Name] = []
    """Names of regions to leave out; every other region of the file takes part, in its role."""
    include: list[Name] | None = None
    """The earlier way, read in this version: names of the only regions to use; `exclude` is then not looked at."""


class Split(Section):
    """Roles that override those of the regions file."""

    train: list[Name] = []
    """Regions to learn from."""
    validation: list[Name] = []
    """Regions on which the best weights are chosen; never trained on."""
    test: list[Name] = []
    """Regions on which the result is judged once; never trained on, never used to choose."""


class Pairs(Section):
    """Which pairs of elevation and imagery are kept."""

    max_void: Share = 0.1
    """Largest share of a tile without elevation or imagery."""
    max_sea: Share = 0.8
    """Largest share of sea."""
    max_cloud: Share = 0.5
    """Largest share of white, structureless imagery (cloud; bright snow has texture and passes)."""


class Sheet(Section):
    """The pair sheet that people look at, and the range of the `turbo` encoding."""

    low_m: float = 0.0
    """Height of the colormap's first colour, metres; below it is white."""
    high_m: float = 9000.0
    """Height of the colormap's last colour, metres."""
    pairs: int = Field(24, ge=1, le=400)
    """Pairs shown, spread evenly over the region."""
