"""The preview of a mosaic: a small picture that says under it what it is."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from terraform.storage.atomic_write import atomic_write

WIDTH_PX = 1600
_STRIP_PX = 28
_LEAST_PX = 480
_PAPER = 245


def write_preview(picture: NDArray[np.uint8], caption: str, path: Path) -> None:
    """Publish a JPEG with a one-line caption under the picture.

    Parameters
    ----------
    picture : (h, w, 4) uint8
        Red, green, blue and mask; what is masked is left as paper.
    """
    mask = picture[..., 3:] / np.float32(255)
    colours = (picture[..., :3] * mask + _PAPER * (1 - mask)).astype(np.uint8)
    height, width = colours.shape[:2]
    sheet = Image.new("RGB", (max(width, _LEAST_PX), height + _STRIP_PX), (_PAPER,) * 3)
    sheet.paste(Image.fromarray(colours), (0, 0))
    _write_line(sheet, caption, height)
    with atomic_write(path) as temporary:
        sheet.save(temporary, "JPEG", quality=90)


def _write_line(sheet: Image.Image, caption: str, top: int) -> None:
    pen = ImageDraw.Draw(sheet)
    size = next((size for size in (15, 13, 11, 9, 8) if _length(pen, caption, size) <= sheet.width - 16), 8)
    pen.text((8, top + (_STRIP_PX - size) // 2 - 1), caption, fill=(40, 40, 40), font=ImageFont.load_default(size))


def _length(pen: ImageDraw.ImageDraw, caption: str, size: int) -> float:
    return float(pen.textlength(caption, font=ImageFont.load_default(size)))
