"""Land of Earth whose colours are known: a picture of the whole Earth, matched to the imagery of some regions."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from terraform import provenance
from terraform.basemap.features import climate_bands, features_of, relief_of
from terraform.basemap.fitting import Box, Cells, outside
from terraform.basemap.matching import Matching, match_anchored
from terraform.config.basemap import BaseMap
from terraform.errors import InputError
from terraform.geo.planet_grid import PlanetGrid
from terraform.planet.rasters import Land, StoredClimate, read_bands
from terraform.planet.region_colours import RegionColours, read_region
from terraform.provenance import Provenance, beside

_MOST_CELLS = 600_000
"""Cells that are learnt from, chosen at random where there is more land: their features take 50 MB."""
_REGIONS_SHARE = 0.05
"""Share of the regions' own colours in what is learnt, beside the matched picture of the whole Earth."""


@dataclass(frozen=True)
class Sample:
    """Land whose colours are known, N cells.

    Attributes
    ----------
    features : (N, F) float32
    plain : (N, 3) float32
        Height, latitude and distance from the equator: what the straw man sees.
    colours : (N, 3) float32
        0 to 1.
    weight : (N,) float32
        Share of the sphere.
    place : (N, 2) int64
        Row and column.
    """

    features: NDArray[np.float32]
    plain: NDArray[np.float32]
    colours: NDArray[np.float32]
    weight: NDArray[np.float32]
    place: NDArray[np.int64]

    def at(self, where: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Look up a mask of the planet grid (H, W) at the cells: (N,) bool."""
        return np.asarray(where[self.place[:, 0], self.place[:, 1]])

    def cells(self, use: NDArray[np.bool_], plain: bool = False) -> Cells:
        """Take some cells to learn from, whose weights add up to 1; `plain` is what the straw man sees."""
        seen = self.plain if plain else self.features
        return Cells(seen[use], self.colours[use], self.weight[use]).scaled_to(1.0)


class Regions(NamedTuple):
    """Regions whose own colours are learnt too.

    Attributes
    ----------
    colours : (H, W, 3) float32
        Of their land on the planet grid, 0 to 1.
    good : (H, W) bool
        Where there are any.
    """

    colours: NDArray[np.float32]
    good: NDArray[np.bool_]


@dataclass(frozen=True)
class EarthColours:
    """Colours of Earth.

    Attributes
    ----------
    picture : (H, W, 3) float32
        Matched to the regions, 0 to 1.
    seen : (H, W) bool
        Where the picture shows something.
    month : int
        0 is a composite of the year.
    regions : Regions or None
    matching : Matching or None
    made : sequence of Provenance
        Of the picture and the regions.
    """

    picture: NDArray[np.float32]
    seen: NDArray[np.bool_]
    month: int
    regions: Regions | None
    matching: Matching | None
    made: Sequence[Provenance]


def read_colours(imagery: Path, folders: Sequence[Path], land: Land, left_out: Sequence[Box]) -> EarthColours:
    """Read the picture of the whole Earth and match it to the regions' own imagery, where there are any.

    Parameters
    ----------
    imagery : Path
        `fetch --planet earth --kind imagery`.
    folders : sequence of Path
        Of regions' `imagery.tif` and `elevation.tif`.
    land : Land
        Of the same grid.
    left_out : sequence of boxes
        No colour of a region is taken from within a degree of these.

    Raises
    ------
    InputError
        The rasters do not fit each other; too little of the regions is left.
    """
    levels, month, made = _imagery(imagery, land.grid)
    picture = np.asarray(levels / np.float32(255), np.float32)
    seen = np.asarray(levels.any(axis=-1))
    if not folders:
        return EarthColours(picture, seen, month, None, None, [made])
    read = [read_region(folder, land.grid) for folder in folders]
    free = land.land & seen & outside(land.grid, left_out)
    regions = gathered([region for region, _ in read], free, land.grid)
    matching = match_anchored(picture[regions.good], regions.colours[regions.good])
    parts = [made, *(part for _, parts in read for part in parts)]
    return EarthColours(matching(picture), seen, month, regions, matching, parts)


def gathered(regions: Sequence[RegionColours], free: NDArray[np.bool_], grid: PlanetGrid) -> Regions:
    """Lay regions on the planet grid, as far as they may be learnt from: `free`, (H, W) bool."""
    colours, good = np.zeros((*grid.shape, 3), np.float32), np.zeros(grid.shape, np.bool_)
    for region in regions:
        here = (region.rows, region.columns)
        fits = region.good & free[here]
        good[here] |= fits
        colours[here][fits] = region.colours[fits]
    return Regions(colours, good)


def sampled(
    land: Land, colours: EarthColours, climate: StoredClimate, settings: BaseMap, seed: int
) -> tuple[Sample, Sample | None]:
    """Compute what the base model sees of known land: of the whole Earth, at most 600,000 cells, and of the regions."""
    grid, height, lapse = land.grid, land.above_m, climate.lapse_rate_k_per_km
    use = land.land & colours.seen
    count = int(use.sum())
    if count > _MOST_CELLS:
        use &= np.random.default_rng(seed).random(grid.shape) < _MOST_CELLS / count
    wanted = [(use, colours.picture)]
    if colours.regions is not None:
        wanted.append((colours.regions.good, colours.regions.colours))
    relief = relief_of(height, grid, settings.roughness_m, settings.surroundings_m)
    parts: list[list[NDArray[np.float32]]] = [[] for _ in wanted]
    for rows, level in climate_bands(climate.monthly, climate.grid, height, grid, lapse):
        here = level.at_heights(height[rows], lapse)
        features = features_of(here, relief.part(rows), climate.gravity_m_s2, colours.month)
        for part, (where, _) in zip(parts, wanted, strict=True):
            part.append(features[where[rows]])
    made = [_sample(np.concatenate(part), known, where, height, grid)
            for part, (where, known) in zip(parts, wanted, strict=True)]  # fmt: skip
    return made[0], made[1] if len(made) > 1 else None


def learnt_from(whole: Sample, regions: Sample | None, free: NDArray[np.bool_]) -> Cells:
    """Take what is learnt from: the whole Earth where it is free, (N,) bool, and the regions' own colours."""
    cells = whole.cells(free)
    if regions is None:
        return cells
    # Cells of a region count alike: its rows are no wider than a few degrees.
    own = Cells(regions.features, regions.colours, np.ones(len(regions.colours), np.float32))
    return cells + own.scaled_to(_REGIONS_SHARE)


def _sample(
    features: NDArray[np.float32], colours: NDArray[np.float32], where: NDArray[np.bool_],
    height_m: NDArray[np.float32], grid: PlanetGrid,
) -> Sample:  # fmt: skip
    place = np.argwhere(where)
    latitude = grid.latitude_deg[place[:, 0]] / 90
    plain = np.stack([np.log10(height_m[where] + 30) - 2.5, latitude, np.abs(latitude)], axis=-1).astype(np.float32)
    return Sample(features, plain, colours[where], grid.area_weight[place[:, 0], 0].astype(np.float32), place)


def _imagery(path: Path, grid: PlanetGrid) -> tuple[NDArray[Any], int, Provenance]:
    """Colours (H, W, 3) and their month ("2004-07" or 7 in the provenance), 0 where they are of no single one."""
    own, colours, _ = read_bands(path)
    if own != grid:
        raise InputError(
            f"{path} has {own.cells_per_degree:g} cells per degree of {own.body.name}, the heights have "
            f"{grid.cells_per_degree:g} of {grid.body.name}: fetch both with the same sources.earth.planet"
        )
    made = provenance.read(beside(path))
    return colours, int(str(made.details.get("month", 0))[-2:]), made
