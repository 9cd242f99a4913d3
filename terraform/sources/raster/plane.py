"""Heights that are to lie on no map."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from terraform.errors import InputError
from terraform.geo.heights import Heights
from terraform.sources.raster.bands import heights_of
from terraform.sources.raster.classify import ANY_BODY, classify_heights, require_heights
from terraform.sources.raster.metadata.declared import NOWHERE, Declared
from terraform.sources.raster.opening import open_raster

_MISSING = -9999.0
"""No place of any body lies so deep to the metre; many files mark with it what is missing, and do not say so."""


def read_plane(path: Path, declared: Declared) -> Heights:
    """Read a raster as heights that are to lie on no map, with its own unit, scale, masks and missing value.

    Raises
    ------
    InputError
        It is damaged, or has no heights at all.
    """
    with open_raster(path, replace(declared, nowhere=True)) as found:
        if found.crs != NOWHERE:
            print(
                f"warning: {path.name} says where it lies ({found.crs}): --pixel-size and --latitude put it on a plane "
                "instead, and the result on no map",
                file=sys.stderr,
                flush=True,
            )
        heights = heights_of(found, ANY_BODY)
        pixels = heights.read((0, heights.height), (0, heights.width))
        sorted_ = classify_heights(pixels, heights, ANY_BODY, missing_is_sea=False)
    if not sorted_.valid.any():
        raise InputError(f"{path} has no heights at all: every pixel is missing")
    return Heights(sorted_.values[..., 0], np.zeros_like(sorted_.valid), ~sorted_.valid)


def require_plane(heights: Heights, path: Path, declared: Declared) -> None:
    """Refuse values that are heights on no body.

    Raises
    ------
    InputError
        They are beyond those of every body, or the lowest is what files mark with what is missing.
    """
    known = heights.metres[~heights.void]
    require_heights(float(known.min()), float(known.max()), str(path), ANY_BODY, declared)
    if known.min() == _MISSING:
        raise InputError(f"{path} holds {_MISSING:g}: if that is the missing value, say so with --nodata {_MISSING:g}")
