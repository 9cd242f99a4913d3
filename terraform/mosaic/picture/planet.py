"""A picture of a whole body: base colours of land and sea, light on its relief, its sea by depth."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from terraform import provenance
from terraform.errors import InputError
from terraform.geo.bodies import Body
from terraform.geo.grid import RasterGrid
from terraform.geo.planet_grid import PlanetGrid
from terraform.geo.raster import write_strips
from terraform.geo.resample import Axis
from terraform.mosaic.base.base_map import BaseMap
from terraform.mosaic.base.choice import named_base
from terraform.mosaic.picture.ground import PlanetRelief, as_source, body_named_by, read_relief
from terraform.mosaic.picture.shading import brightened, sea_by_depth, shade
from terraform.provenance import Provenance
from terraform.sources.raster.metadata.declared import NOTHING, Declared
from terraform.storage.atomic_write import atomic_write

CELLS_PER_DEGREE = 12
STRENGTH = 0.75
_SEA_FLOOR = 0.25
"""How strongly the sea floor is shaded, where it is known, of how land is."""
_BAND_ROWS = 180
_FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG"}


def render_planet(
    base: str | None, elevation: Path, output: Path, shoreline_m: float, strength: float = STRENGTH,
    declared: Declared = NOTHING,
) -> None:  # fmt: skip
    """Draw a whole body at 1/12 degree, plate carree, 4320 x 2160 pixels.

    Parameters
    ----------
    base : str, optional
        A raster of base colours or a colour; see `terraform.mosaic.base.choice.choose_base`.
    elevation : Path
        Heights of the whole body, metres above its datum, at any resolution.
    output : Path
        `.jpg`, `.png`, or `.tif` (with georeference).
    shoreline_m : float
        What lies below it is sea.
    strength : float
        Of the shading, 0 to 1.
    declared : Declared
        What the user says of the raster of heights.

    Raises
    ------
    InputError
        A raster does not fit, or the output is of another format.
    """
    if output.suffix.lower() not in (*_FORMATS, ".tif", ".tiff"):
        raise InputError(f"{output}: a picture of a body is .jpg, .png or .tif, not {output.suffix or 'without one'}")
    body = body_named_by(elevation, declared)
    chosen = named_base(base, body)
    relief = read_relief(elevation, shoreline_m, CELLS_PER_DEGREE, declared)
    made = chosen.make(as_source(relief), 0.0)
    relief_made = provenance.beside(elevation)
    parts = [chosen.provenance, provenance.read(relief_made) if relief_made.is_file() else None]
    _save(np.concatenate(list(bands(made, relief, strength))), output, body, _tags([part for part in parts if part]))


def _tags(parts: list[Provenance]) -> dict[str, str]:
    """Make the tags of a picture."""
    told = {"DESCRIPTION": "plausible, not predicted: not an observation"}
    return told | (provenance.merge(parts).tags() if parts else {})


def bands(base: BaseMap, relief: PlanetRelief, strength: float) -> Iterator[NDArray[np.uint8]]:
    """Draw a body in bands of rows, north to south.

    Parameters
    ----------
    base : BaseMap
    relief : PlanetRelief
    strength : float
        Of the shading, 0 to 1.

    Yields
    ------
    (h, W, 3) uint8
    """
    grid = relief.grid
    light = shade(relief.height_m, grid, strength)
    floor = shade(-relief.depth_m, grid, strength * _SEA_FLOOR)
    for top in range(0, grid.height, _BAND_ROWS):
        rows = slice(top, min(top + _BAND_ROWS, grid.height))
        land, sea = _base_rows(base, grid, rows)
        ground = brightened(land, light[rows])
        water = brightened(sea_by_depth(sea, relief.depth_m[rows]), floor[rows])
        share = relief.land[rows][..., None]
        yield np.rint(ground * share + water * (1 - share)).astype(np.uint8)


def _base_rows(base: BaseMap, grid: PlanetGrid, rows: slice) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Read base colours of land and of sea, (h, W, 3) each, 0 to 255."""
    if base.levels.shape[:2] == grid.shape:
        levels = base.levels[rows].astype(np.float32)
        return levels[..., :3], levels[..., 3:]
    latitudes = Axis(90.0, -grid.cell_deg, grid.height).part(rows.start, rows.stop)
    found = base.on_axes(latitudes, Axis(-180.0, grid.cell_deg, grid.width))
    land, sea = (((part[0].numpy() + 1) * np.float32(127.5)).transpose(1, 2, 0) for part in (found.land, found.sea))
    return land, sea


def _save(picture: NDArray[np.uint8], output: Path, body: Body, tags: Mapping[str, str]) -> None:
    kind = _FORMATS.get(output.suffix.lower())
    if kind is None:
        step = 180 / len(picture)
        rows, columns = Axis(90.0, -step, len(picture)), Axis(-180.0, step, picture.shape[1])
        write_strips(output, RasterGrid(body, rows, columns), [np.maximum(picture, 1)], 3, "uint8", tags)
        return
    with atomic_write(output) as temporary:
        told = PngInfo()
        for name, text in tags.items():
            told.add_itxt(name, text)
        comment = "; ".join(f"{name}: {text}" for name, text in tags.items())
        own = {"pnginfo": told} if kind == "PNG" else {"quality": 92, "comment": comment.encode()}
        Image.fromarray(picture).save(temporary, kind, **own)
