"""The pairs of several regions as one collection, kept as stored and made into batches on the device."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from terraform import provenance
from terraform.errors import InputError
from terraform.geo.tile_spec import TileSpec
from terraform.pairs.store import Pairs, open_pairs
from terraform.pairs.tints import TintMap
from terraform.provenance import Provenance

_UNKNOWN = np.zeros((0, 0), np.float32)
_NO_TINTS, _NO_LEVELS = np.zeros((0, 0, 0, 0), np.uint8), np.zeros(0, np.float32)


class StoredPairs(NamedTuple):
    """Pairs as stored; sizes are those of the default tile.

    Attributes
    ----------
    elevation : (N, 384, 384) int16
    imagery : (N, 256, 256, 3) uint8
    base : (N, 2, 20, 20, 3) uint8
        Base colours of land and of sea (`terraform.pairs.base_colours`).
    latitude_deg : (N, 384) float32
        Of every pixel row, margin included.
    shoreline_c : (N, 20, 20) float32
        Temperature of the place, reduced to height 0, degrees Celsius; (N, 0, 0) where no channel follows the climate.
    lapse_k_per_km : (N,) float32
        By which it falls with height, K/km.
    tints : (N, 3, L, 20, 20) uint8
        Colours of land at L heights (`terraform.pairs.tints`), at the same cells; (N, 0, 0, 0, 0) without tints.
    tint_levels_m : (N, L) float32
        Those heights above the datum, metres.
    """

    elevation: Tensor
    imagery: Tensor
    base: Tensor
    latitude_deg: Tensor
    shoreline_c: Tensor
    lapse_k_per_km: Tensor
    tints: Tensor
    tint_levels_m: Tensor

    @property
    def inner(self) -> slice:
        """The rows, or columns, of the elevation that the imagery has too."""
        margin = (self.elevation.shape[-1] - self.imagery.shape[2]) // 2
        return slice(margin, margin + self.imagery.shape[2])


@dataclass(frozen=True)
class Collection:
    """Pairs of several regions.

    Attributes
    ----------
    regions : tuple of Pairs
    places : (N, 2) int64
        Region and pair of each of the collection's pairs.
    tints : TintMap, optional
        Of the body that the pairs are of.
    """

    regions: tuple[Pairs, ...]
    places: NDArray[np.int64]
    tints: TintMap | None = None

    def __len__(self) -> int:
        """Count the pairs."""
        return len(self.places)

    def read(self, chosen: Sequence[int] | NDArray[np.int64]) -> StoredPairs:
        """Read the chosen pairs, as stored."""
        wanted = [(self.regions[region], pair) for region, pair in self.places[np.asarray(chosen)]]
        elevation = np.stack([pairs.elevation[pair] for pairs, pair in wanted])
        imagery = np.stack([pairs.imagery[pair] for pairs, pair in wanted])
        base = np.stack([pairs.base[pair] for pairs, pair in wanted])
        latitude = np.stack([_latitudes(pairs, int(pair)) for pairs, pair in wanted])
        shoreline = np.stack(
            [_UNKNOWN if pairs.temperature is None else pairs.temperature[pair] for pairs, pair in wanted]
        )
        lapse = np.array([pairs.lapse_rate_k_per_km for pairs, _ in wanted], np.float32)
        tints = np.stack([self._tints(pairs.tiles[pair]) for pairs, pair in wanted])
        levels = np.stack([_NO_LEVELS if self.tints is None else self.tints.above_datum_m] * len(wanted))
        parts = elevation, imagery, base, latitude, shoreline, lapse, tints, levels
        return StoredPairs(*(torch.from_numpy(part) for part in parts))

    def _tints(self, tile: Any) -> NDArray[np.uint8]:
        return _NO_TINTS if self.tints is None else self.tints.sample(tile, self.spec)

    def tiles(self, chosen: Sequence[int] | NDArray[np.int64]) -> NDArray[Any]:
        """List the records of the chosen pairs, (N,) `terraform.pairs.store.TILE`."""
        return np.stack([self.regions[region].tiles[pair] for region, pair in self.places[np.asarray(chosen)]])

    def region_of(self, pair: int) -> str:
        """Name the region that a pair comes from."""
        name: str = self.regions[self.places[pair, 0]].region
        return name

    def spread(self, count: int) -> NDArray[np.int64]:
        """Choose at most `count` pairs, spread evenly over all."""
        return np.unique(np.linspace(0, len(self) - 1, min(count, len(self))).round().astype(np.int64))

    @property
    def spec(self) -> TileSpec:
        """The size of all its tiles."""
        return self.regions[0].spec

    @property
    def provenance(self) -> Provenance:
        """Where the pairs come from."""
        parts = [pairs.provenance for pairs in self.regions]
        if self.tints is not None and self.tints.provenance is not None:
            parts.append(self.tints.provenance)
        return provenance.merge(parts, regions=[pairs.region for pairs in self.regions], pairs=len(self))


def collect(
    folders: Sequence[Path], held_out: Sequence[Path] = (), climate: bool = False, tints: TintMap | None = None
) -> Collection:
    """Open the pairs of several regions, without those that overlap a tile of a held-out region.

    Parameters
    ----------
    folders, held_out : sequence of Path
    climate : bool
        Whether a channel follows the climate, so that pairs must have the temperature of their places.
    tints : TintMap, optional
        Of the body that the pairs are of.

    Raises
    ------
    InputError
        A folder holds no pairs, nothing is left, or tiles are of several sizes.
    """
    regions = tuple(open_pairs(folder, climate) for folder in folders)
    forbidden = [open_pairs(folder) for folder in held_out]
    places = [
        (number, pair)
        for number, pairs in enumerate(regions)
        for pair in np.flatnonzero(~_overlapping(pairs, forbidden))
    ]
    if not places:
        names = ", ".join(pairs.region for pairs in regions) or "none"
        raise InputError(f"no pairs are left in the regions given ({names}): add a region or enlarge one")
    sizes = {pairs.spec: pairs.region for pairs in regions}
    if len(sizes) > 1:
        said = ", ".join(f"{region}: {spec.tile_px} pixels of {spec.pixel_m:g} m" for spec, region in sizes.items())
        raise InputError(f"pairs have tiles of several sizes ({said}): cut all regions with the same settings of tile")
    return Collection(regions, np.array(places, np.int64), tints)


def by_role(
    folders: Mapping[str, Sequence[Path]], climate: bool = False, tints: TintMap | None = None
) -> dict[str, Collection]:
    """Open the collection of each role that has regions; "train" leaves out what overlaps the others; see `collect`."""
    held_out = [folder for role, members in folders.items() if role != "train" for folder in members]
    return {
        role: collect(members, held_out if role == "train" else (), climate, tints)
        for role, members in folders.items()
        if members
    }


def _overlapping(pairs: Pairs, forbidden: Sequence[Pairs]) -> NDArray[np.bool_]:
    """Which tiles share ground with a tile of other regions of the same body."""
    mine = pairs.tiles
    hit = np.zeros(len(mine), bool)
    for other in forbidden:
        if other.provenance.details["body"] != pairs.provenance.details["body"]:
            continue
        theirs = other.tiles
        for turn in (-360, 0, 360):
            across = (mine["west"][:, None] < theirs["east"] + turn) & (mine["east"][:, None] > theirs["west"] + turn)
            along = (mine["south"][:, None] < theirs["north"]) & (mine["north"][:, None] > theirs["south"])
            hit |= (across & along).any(axis=1)
    return hit


def _latitudes(pairs: Pairs, pair: int) -> NDArray[np.float32]:
    tile, side = pairs.tiles[pair], pairs.spec.side_px
    step = (tile["north"] - tile["south"]) / pairs.spec.tile_px
    latitudes: NDArray[np.float32] = (tile["latitude"] + ((side - 1) / 2 - np.arange(side)) * step).astype(np.float32)
    return latitudes
