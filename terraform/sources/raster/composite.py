"""One picture of a whole body from those of several months: the darkest of each place, as cloud-free mosaics look."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray


def darkest(pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Take channel by channel the darkest of several pictures: without most snow and dry grass.

    Parameters
    ----------
    pictures : sequence of (h, w, 3) uint8
        Of the same ground; black in all channels is void.

    Returns
    -------
    (h, w, 3) uint8
        Void where all are.
    """
    seen = [picture.any(axis=-1, keepdims=True) for picture in pictures]
    known = [np.where(here, picture, np.uint8(255)) for here, picture in zip(seen, pictures, strict=True)]
    least: NDArray[np.uint8] = np.min(known, axis=0)
    some = np.any(seen, axis=0)
    # Channels of different months could all be 0 together, which would mean void.
    least = np.where((least == 0).all(axis=-1, keepdims=True), np.uint8(1), least)
    return np.where(some, least, np.uint8(0))


def darkest_strips(pictures: Sequence[Iterator[NDArray[np.uint8]]]) -> Iterator[NDArray[np.uint8]]:
    """Take the darkest of several pictures strip by strip; all are cut into the same strips."""
    for strips in zip(*pictures, strict=True):
        yield darkest(strips)
