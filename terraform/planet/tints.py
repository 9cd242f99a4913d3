"""The file of a body's tints: land's colours by height (`terraform.pairs.tints`)."""

from pathlib import Path

import numpy as np

from terraform import provenance
from terraform.errors import InputError
from terraform.geo import raster
from terraform.geo.bodies import Body
from terraform.geo.planet_grid import PlanetGrid
from terraform.pairs.tints import TintMap
from terraform.planet.rasters import raster_grid, read_bands
from terraform.provenance import Provenance

_PROVENANCE, _LEVELS, _SHORELINE = "PROVENANCE", "HEIGHTS_M", "SHORELINE_M"


def write_tints(path: Path, body: Body, tints: TintMap, made: Provenance, jpeg_quality: int | None = None) -> None:
    """Publish tints: three bands, red, green and blue, for each height; uint8.

    Parameters
    ----------
    path : Path
    body : Body
    tints : TintMap
    made : Provenance
        Goes into its tags, as the heights do.
    jpeg_quality : int, optional
        Of what is published, 1 to 100; by default nothing is lost.
    """
    levels_m = [float(metres) for metres in tints.levels_m]
    tags = made.tags() | {
        _PROVENANCE: provenance.to_json(made),
        _LEVELS: " ".join(f"{metres:.6g}" for metres in levels_m),
        _SHORELINE: f"{tints.shoreline_m:.6g}",
    }
    names = [f"land at {metres:.0f} m, {colour}" for metres in levels_m for colour in ("red", "green", "blue")]
    grid = PlanetGrid(body, tints.colours.shape[0] / 180)
    raster.write_strips(path, raster_grid(grid), [tints.colours], len(names), "uint8", tags, 1.0, names, jpeg_quality)


def read_tints(path: Path, body: Body) -> TintMap:
    """Read the tints of a body, as `write_tints` wrote them.

    Raises
    ------
    InputError
        It is no such file, or of another body.
    """
    grid, colours, tags = read_bands(path)
    try:
        levels_m = np.array([float(metres) for metres in tags[_LEVELS].split()], np.float32)
        shoreline_m, made = float(tags[_SHORELINE]), provenance.from_json(tags[_PROVENANCE])
        if colours.shape[-1] != 3 * len(levels_m) or colours.dtype != np.uint8:
            raise ValueError(f"{len(levels_m)} heights, bands of {colours.dtype} {colours.shape}")
        if len(levels_m) < 2 or not (np.diff(levels_m) > 0).all() or not np.isfinite([*levels_m, shoreline_m]).all():
            raise ValueError("its heights do not rise")
    except (KeyError, ValueError, TypeError) as error:
        raise InputError(f"{path} holds no tints of a body ({error}): draw them with `snakemake planet`") from None
    if grid.body != body:
        raise InputError(f"{path} holds tints of {grid.body.name}, expected those of {body.name}: name them")
    return TintMap(colours, levels_m, shoreline_m, made)
