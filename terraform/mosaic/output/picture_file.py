"""Pictures that people open anywhere: PNG, JPEG and WebP, without a georeference and without GDAL."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from terraform.errors import InputError
from terraform.storage.atomic_write import atomic_write

PICTURES = {".png": ("PNG", 2**31 - 1), ".jpg": ("JPEG", 65_535), ".jpeg": ("JPEG", 65_535), ".webp": ("WEBP", 16_383)}
"""Format and longest side, pixels."""
MOST_PX = 250_000_000
"""Pixels of a picture at most: it is held in memory, 1 GB then."""

_PAPER = 255
_IMAGE_DESCRIPTION = 270
"""Tag of EXIF."""


def check_picture(output: Path, height: int, width: int) -> None:
    """Refuse a picture that its format, or the memory, cannot hold; a GeoTIFF always can.

    Raises
    ------
    InputError
        It is too large.
    """
    if output.suffix.lower() not in PICTURES:
        return
    kind, longest = PICTURES[output.suffix.lower()]
    if max(height, width) > longest or height * width > MOST_PX:
        raise InputError(
            f"{output} would have {width:,} x {height:,} pixels: a {kind} has at most {longest:,} a side, and "
            f"{MOST_PX:,} in all here; write a .tif"
        )


def save_rgba(picture: NDArray[np.uint8], output: Path, tags: Mapping[str, str]) -> None:
    """Publish an array as a picture in the format of its name.

    Parameters
    ----------
    picture : (H, W, 4) uint8
        Red, green, blue and 255 where valid; a `.jpg` is white where it is not.
    tags : mapping
        What the picture says of itself, one text in the file.
    """
    kind, _ = PICTURES[output.suffix.lower()]
    if kind == "JPEG":
        share = picture[..., 3:] / np.float32(255)
        picture = np.rint(picture[..., :3] * share + _PAPER * (1 - share)).astype(np.uint8)
    own = {"PNG": {}, "JPEG": {"quality": 92}, "WEBP": {"quality": 92, "method": 4}}[kind]
    told = "; ".join(f"{name}: {text}" for name, text in tags.items())
    with atomic_write(output) as temporary:
        Image.fromarray(picture).save(temporary, kind, **own, **_comment(kind, told))


def _comment(kind: str, text: str) -> dict[str, Any]:
    """Put what a picture says of itself as its format keeps it."""
    if kind == "PNG":
        told = PngInfo()
        told.add_itxt("DESCRIPTION", text)
        return {"pnginfo": told}
    if kind == "JPEG":
        return {"comment": text.encode()}
    exif = Image.Exif()
    exif[_IMAGE_DESCRIPTION] = text
    return {"exif": exif}
