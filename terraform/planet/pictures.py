"""Pictures of a whole body for people: its climate and its base colours."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from terraform.climate.koeppen import COLOURS, koeppen
from terraform.climate.monthly import MonthlyClimate
from terraform.storage.atomic_write import atomic_write


class Ramp(NamedTuple):
    """Colours of a quantity.

    Attributes
    ----------
    places : tuple of float
        Values that have a colour of their own; others are between.
    colours : (N, 3) int64
        Theirs, 0 to 255.
    unit : str
    """

    places: tuple[float, ...]
    colours: NDArray[np.int64]
    unit: str

    def colour(self, values: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Colour values (H, W), interpolated between those of the places: (H, W, 3) uint8."""
        return np.stack([np.interp(values, self.places, self.colours[:, k]) for k in range(3)], axis=-1).astype(
            np.uint8
        )


TEMPERATURE_RAMP = Ramp(
    (-40.0, -20.0, 0.0, 10.0, 20.0, 30.0, 40.0),
    np.array(
        [(40, 20, 90), (50, 90, 180), (190, 220, 240), (240, 240, 190), (250, 200, 90), (215, 90, 45), (120, 10, 30)]
    ),
    "degC",
)
PRECIPITATION_RAMP = Ramp(
    (0.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0),
    np.array([(235, 215, 165), (225, 225, 160), (160, 205, 130), (60, 160, 130), (30, 90, 160), (40, 20, 110)]),
    "mm",
)
FOOTER_PX = 24
"""Height of the footer under a picture."""


def draw_climate(folder: Path, climate: MonthlyClimate, sea: NDArray[np.bool_]) -> None:
    """Draw the year's temperature and rain, and the Koeppen-Geiger classes.

    Parameters
    ----------
    folder : Path
        `temperature.jpg`, `precipitation.jpg` and `koeppen.png` go here.
    climate : MonthlyClimate
        (12, H, W).
    sea : (H, W) bool
        Has no class.
    """
    warmth = TEMPERATURE_RAMP.colour(climate.annual_temperature)
    rain = PRECIPITATION_RAMP.colour(climate.annual_precipitation)
    write_picture(folder / "temperature.jpg", warmth, f"mean of the year, {_scale(TEMPERATURE_RAMP)}")
    write_picture(folder / "precipitation.jpg", rain, f"precipitation of the year, {_scale(PRECIPITATION_RAMP)}")
    write_picture(folder / "koeppen.png", COLOURS[koeppen(climate, sea)], "Koeppen-Geiger classes (Kottek et al. 2006)")


def write_picture(path: Path, pixels: NDArray[np.uint8], caption: str) -> None:
    """Publish a picture with a footer.

    Parameters
    ----------
    path : Path
        `.jpg` or `.png`.
    pixels : (H, W, 3) uint8
        Red, green and blue.
    caption : str
        What the footer says.
    """
    height, width = pixels.shape[:2]
    image = Image.new("RGB", (width, height + FOOTER_PX), (20, 20, 20))
    image.paste(Image.fromarray(pixels), (0, 0))
    text = ImageDraw.Draw(image)
    text.text((6, height + 5), caption, fill=(230, 230, 230), font=ImageFont.load_default(12))
    with atomic_write(path) as temporary:
        image.save(temporary, quality=90)


def _scale(ramp: Ramp) -> str:
    return f"{ramp.places[0]:g} to {ramp.places[-1]:g} {ramp.unit}"
