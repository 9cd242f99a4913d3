"""What people state of a raster of their own and of how it is drawn, and heights that they want on no map."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from terraform.config import Mosaics
from terraform.errors import ConfigError, InputError
from terraform.geo.bodies import Body
from terraform.geo.heights import Heights
from terraform.mosaic.array import read_heights
from terraform.mosaic.checkpoint import Part
from terraform.mosaic.inputs import settings_of
from terraform.sources.raster.bands import heights_of
from terraform.sources.raster.classify import ANY_BODY, classify_heights, require_heights
from terraform.sources.raster.metadata.declared import METRES, NOTHING, NOWHERE, Declared
from terraform.sources.raster.opening import open_raster

_MISSING = -9999.0
"""No place of any body lies so deep to the metre; many files mark with it what is missing, and do not say so."""


@dataclass(frozen=True)
class Stated:
    """What the user says of a raster and of how it is drawn, beside the settings.

    Attributes
    ----------
    declared : Declared
        Of the file: CRS, body, unit, missing value.
    missing_is_sea : bool
        What missing heights stand for.
    settings : mapping of str to value
        Settings of `mosaics`, nested as there, that hold on every body.
    part : Part, optional
        Only this part of the strips is drawn, for the command that joins them.
    """

    declared: Declared = NOTHING
    missing_is_sea: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    part: Part | None = None

    def settings_on(self, body: Body | None, settings: Mosaics) -> Mosaics:
        """Choose the settings that hold on a body; see `inputs.settings_of`."""
        return settings_of(body, settings, self.settings)

    def require_plane(self) -> None:
        """Refuse what means nothing for heights that lie on no map, instead of dropping it.

        Raises
        ------
        ConfigError
            Some of it was said.
        """
        of = self.declared
        said = {
            "--part": self.part, "--crs": of.crs, "--body": of.body, "--nodata-means sea": self.missing_is_sea,
            "--grid": self.settings.get("grid"),
        }  # fmt: skip
        given = [name for name, value in said.items() if value]
        if given:
            raise ConfigError(
                f"{', '.join(given)}: heights that lie on no map (an .npy, or --pixel-size with --latitude) are of no "
                "body, have no sea and are drawn in one piece: leave it out"
            )

    def identity(self) -> list[Any]:
        """Tell what the strips of a drawing depend on, as values that JSON holds."""
        of = self.declared
        return [of.crs, of.body, of.unit, of.nodata, self.missing_is_sea]


def plane_heights(path: Path, declared: Declared) -> Heights:
    """Read heights that are to lie on no map: an `.npy`, or a raster with its own unit, scale, masks, missing value.

    Raises
    ------
    InputError
        It is damaged, has no heights at all, or values that are none on any body.
    """
    if path.suffix.lower() == ".npy":
        made = read_heights(path, declared.nodata, METRES[declared.unit or "m"])
    else:
        made = _plane_of_raster(path, declared)
    known = made.metres[~made.void]
    require_heights(float(known.min()), float(known.max()), str(path), ANY_BODY, declared)
    if known.min() == _MISSING:
        raise InputError(f"{path} holds {_MISSING:g}: if that is the missing value, say so with --nodata {_MISSING:g}")
    return made


def _plane_of_raster(path: Path, declared: Declared) -> Heights:
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
