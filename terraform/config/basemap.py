"""Base colours of a planet: how they are learnt from Earth's climate, and how a body is drawn with them."""

from typing import Annotated

from pydantic import Field

from terraform.config.section import Name, Section, Share


class BaseTraining(Section):
    """How the base model learns."""

    months: list[Annotated[int, Field(ge=0, le=12)]] = Field([0, 1, 4, 7, 8, 10], min_length=1, max_length=13)
    """Months whose colours are learnt, 1 is January, 0 is the composite of the year."""
    hidden: int = Field(48, ge=4, le=512)
    """Width of the hidden layers."""
    layers: int = Field(3, ge=1, le=6)
    """Hidden layers."""
    members: int = Field(4, ge=1, le=32)
    """Networks whose mean is the model; each begins elsewhere and sees other cells."""
    steps: int = Field(2000, ge=1, le=10**7)
    """Steps of Adam."""
    batch: int = Field(2048, ge=1, le=10**6)
    """Cells per step and member."""
    rate: float = Field(4e-3, gt=0, le=1)
    """Learning rate, falling to zero as a half cosine."""
    weight_decay: float = Field(1e-3, ge=0)
    """Decay of the weights (AdamW)."""
    noise: float = Field(0.05, ge=0, le=1)
    """Standard deviation of the noise added to the features while learning, in their unit range."""
    dropout: float = Field(0.0, ge=0, lt=1)
    """Share of hidden units that are dropped while learning."""
    huber: float = Field(0.02, gt=0, le=1)
    """Difference from which the loss grows linearly, share of the colours' range."""


class SeaLaw(Section):
    """Colour of the sea: what depth, warmth and ice do to it; constants chosen by hand beside satellite pictures."""

    deep: tuple[float, float, float] = (11.0, 22.0, 40.0)
    """Colour of deep water, levels of 255: Sentinel-2 cloudless off the Andes is 13, 22, 39, beside the coasts of four
    regions 10, 26, 35; its paler blue far from shore is painted."""
    shallow: tuple[float, float, float] = (1.0, 6.0, 3.0)
    """What plankton and sediment add at the shoreline, levels of 255."""
    shallow_depth_m: float = Field(150.0, gt=0)
    """Depth at which that is 1/e."""
    bottom: tuple[float, float, float] = (30.0, 65.0, 60.0)
    """What a bottom of bright sand adds at no depth, in warm and clear water, levels of 255."""
    bottom_depth_m: tuple[float, float, float] = (2.0, 10.0, 14.0)
    """Depths at which that is 1/e in red, green and blue: half of one over the diffuse attenuation of clear coastal
    water (Jerlov 1976; light goes down and up: Maritorena, Morel and Gentili 1994, eq. 9)."""
    warm_c: float = 24.0
    """Temperature at which half of that bottom is seen, degrees Celsius."""
    warm_width_k: float = Field(2.5, gt=0)
    """Width of that transition, K."""
    ice: tuple[float, float, float] = (236.0, 240.0, 245.0)
    """Colour of sea ice with its snow, levels of 255."""
    ice_c: float = -5.0
    """Temperature of the month's air at which half of the sea is ice, degrees Celsius."""
    ice_width_k: float = Field(0.2, gt=0)
    """Width of that transition, K."""
    ice_meander_k: float = Field(0.8, ge=0)
    """How far currents and storms move the edge of the ice, K of the air's temperature (standard deviation)."""
    shelf_slope: float = Field(0.0017, gt=0)
    """Fall of the sea floor away from the shore where no depth is known: shelves are 75 km wide and 130 m deep
    (Kennett 1982)."""
    shelf_m: float = Field(130.0, gt=0)
    """Depth of the edge of a shelf, metres; beyond it the floor falls 40 times as steeply."""


class BaseMap(Section):
    """The base colours of a body."""

    cells_per_degree: float = Field(12.0, gt=0, le=24)
    """Resolution of the planet grid."""
    month: int = Field(0, ge=0, le=12)
    """Month that is drawn, 1 is January; 0 is the composite of the year, as cloud-free mosaics are."""
    roughness_m: float = Field(20_000.0, gt=0)
    """Size of the neighbourhood whose relief is the roughness, metres (standard deviation of its weight)."""
    surroundings_m: float = Field(60_000.0, gt=0)
    """Size of the surroundings above which a cell's position is measured, metres (standard deviation)."""
    sea: SeaLaw = SeaLaw()
    """Colour of the sea."""
    match: list[Name] = []
    """Regions of Earth, none of validation or test, to whose imagery that of the whole Earth is matched, and whose own
    smooth colours are learnt too: where the two come from different sources."""
    leave_out: bool = True
    """Whether regions for validation and test, and a degree around each, are left out; false for what is published, by
    which nothing held out may be judged."""
    hillshade: Share = 0.0
    """How strongly the preview is shaded by its relief."""
    training: BaseTraining = BaseTraining()
    """How the base model learns."""
