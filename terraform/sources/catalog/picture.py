"""Pictures of a map service: decoded whole, of the size that was asked for, and showing something."""

import io

import numpy as np
from numpy.typing import NDArray

from terraform.sources.remote.response import InvalidResponse

_BLOCK = 32
_SEAM = 0.1
_MOST_BLANK = 0.25
"""Largest share of blocks of one colour that a service gives where it has nothing. In 71,000 blocks of real mosaics
with sea, snow and salt there is none."""


def decode_jpeg(body: bytes, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """The pixels of a JPEG, (H, W, 3); where nothing is shown, black: void.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns that were asked for: a picture of another size is not even unpacked.

    Raises
    ------
    InvalidResponse
        It is damaged, of another size, or blank in large parts.
    """
    rgb = _unpacked(body, shape)
    blank = _blank(rgb)
    if blank.mean() > _MOST_BLANK:
        raise InvalidResponse(
            f"{blank.mean():.0%} of the picture are blank: the service has nothing there, or failed on the way"
        )
    void = np.repeat(np.repeat(blank, _BLOCK, 0), _BLOCK, 1)[: shape[0], : shape[1]]
    # Black in all bands means void: what is black and seen becomes the darkest grey.
    rgb = np.where((rgb == 0).all(axis=-1, keepdims=True), np.uint8(1), rgb)
    rgb[void] = 0
    return rgb


def _unpacked(body: bytes, shape: tuple[int, int]) -> NDArray[np.uint8]:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(body), formats=["JPEG"]) as picture:
            if picture.size != (shape[1], shape[0]):
                raise InvalidResponse(
                    f"asked for {shape[1]} x {shape[0]} pixels, it sends {picture.size[0]} x {picture.size[1]}"
                )
            return np.array(picture.convert("RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InvalidResponse(f"the picture is damaged ({error})") from None


def _blank(rgb: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Blocks that are white, black, or the grey with which decoders fill what is missing, but for their seam."""
    shown = ~((rgb == 255).all(-1) | (rgb <= 2).all(-1) | (rgb == 128).all(-1))
    down, across = (np.arange(0, size, _BLOCK) for size in shown.shape)
    count = np.add.reduceat(np.add.reduceat(shown, down, 0, dtype=np.int32), across, 1)
    area = np.diff(down, append=shown.shape[0])[:, None] * np.diff(across, append=shown.shape[1])
    return np.asarray(count < _SEAM * area)
