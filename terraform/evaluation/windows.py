"""Windows: whether a place looks the same in whatever window it is drawn, and whether borders of windows show."""

from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from terraform.config import Mosaics
from terraform.evaluation.straw_men import Judged
from terraform.geo.heights import unpack
from terraform.geo.tile_spec import TileSpec
from terraform.learn.data.dataset import StoredPairs
from terraform.learn.weights import TrainedGenerator
from terraform.mosaic.inference import Predictor, draw
from terraform.mosaic.terrain import TerrainWindow
from terraform.mosaic.windows import RAMP_PX, plan
from terraform.pairs.context import Air, Context
from terraform.pairs.tints import Tints

Span = tuple[int, int]
_T = TypeVar("_T", bound=np.generic)

_PLACES = 3
_NARROW_PX, _WIDE_PX = 416, 640
_NEAR_PX = 32
"""Columns as far from a border at most are what it is compared with: one province differs from the next."""
_SHIFT_PX = 48
"""Windows begin elsewhere, at whole strides, as those of all mosaics do."""


class Windows(NamedTuple):
    """What windows do.

    Attributes
    ----------
    tile_invariance : float
        Largest difference of a pixel between windows, levels of 255.
    seam : float
        Mean step across borders of windows over the mean step elsewhere, 1 where none shows.
    real_seam : float
        The same of real imagery at the same places.
    """

    tile_invariance: float
    seam: float
    real_seam: float


def windows(trained: TrainedGenerator, judged: Judged) -> Windows | None:
    """Draw pairs of neighbouring tiles as mosaics are drawn, in narrow windows and in others that begin elsewhere.

    Returns
    -------
    Windows or None
        None where no two judged tiles are neighbours.
    """
    places = neighbours(judged)[:_PLACES]
    if not places:
        return None
    apart, seams, real_seams = [], [], []
    for pair in places:
        stored = judged.read(np.array(pair))
        strip = TileStrip.of(stored, trained)
        here = _drawn(trained, strip, _NARROW_PX, 0)
        there = _drawn(trained, strip, _WIDE_PX, _SHIFT_PX)
        apart.append(np.abs(here.astype(np.int16) - there).max())
        borders = _borders(trained, strip)
        seams.append(_steps(here, borders))
        real_seams.append(_steps(np.concatenate(list(stored.imagery.numpy()), axis=1), borders))
    seam, real_seam = (float(np.divide(*np.sum(found, axis=0))) for found in (seams, real_seams))
    return Windows(float(max(apart)), seam, real_seam)


def neighbours(judged: Judged) -> list[tuple[int, int]]:
    """List pairs of the whole collection that lie beside each other, western first, spread over the judged ones."""
    collection, everything = judged.collection, np.arange(len(judged.collection))
    tiles, region = collection.tiles(everything), collection.places[:, 0]
    at = {(int(r), int(t["row"]), int(t["column"])): n for n, (r, t) in enumerate(zip(region, tiles, strict=True))}
    found = []
    for number in judged.chosen[np.argsort(np.arange(len(judged.chosen)) % 7, kind="stable")]:
        tile = tiles[number]
        east = at.get((int(region[number]), int(tile["row"]), int(tile["column"]) + 1))
        if east is not None and tile["sea"] < 0.5:
            found.append((int(number), east))
    return found


@dataclass(frozen=True)
class TileStrip:
    """Two neighbouring tiles as a `terraform.mosaic.terrain.Terrain`; nothing beyond their margins.

    Attributes
    ----------
    stored : StoredPairs
        Two pairs, the western first.
    spec : TileSpec
    shift : int
        Pixels by which rows and columns are counted from another place, so that windows fall elsewhere.
    """

    spec: TileSpec
    metres: NDArray[np.float32]
    sea: NDArray[np.bool_]
    void: NDArray[np.bool_]
    latitude_deg: NDArray[np.float32]
    base: Tensor | None
    tints: Tints | None
    shoreline: Tensor | None
    lapse: Tensor
    shift: int = 0

    @classmethod
    def of(cls, stored: StoredPairs, trained: TrainedGenerator) -> "TileStrip":
        """Join the heights of two neighbours, and the base colours and temperatures that the generator knows."""
        spec = trained.spec
        west, east = stored.elevation.numpy()
        heights = unpack(np.concatenate([west[:, : -spec.margin_px], east[:, spec.margin_px :]], 1))
        cells = stored.base.permute(0, 1, 4, 2, 3).flatten(1, 2).float()  # (2, 6, 20, 20)
        base = _joined(cells, spec) / 127.5 - 1 if trained.needs_base else None
        shoreline = _joined(stored.shoreline_c[:, None], spec) if trained.condition.needs_climate else None
        return cls(
            spec, heights.metres.astype(np.float32), heights.sea, heights.void, stored.latitude_deg[0].numpy(),
            base, _tints(stored, spec) if trained.condition.tints else None, shoreline,
            stored.lapse_k_per_km[:1].view(1, 1, 1, 1),
        )  # fmt: skip

    @property
    def pixel_m(self) -> float:
        """Side of a pixel, metres."""
        return self.spec.pixel_m

    @property
    def top(self) -> int:
        """First row that is drawn."""
        return -self.shift

    @property
    def rows(self) -> Span:
        """Rows of the tiles themselves."""
        return -self.shift, self.spec.tile_px - self.shift

    @property
    def columns(self) -> Span:
        """Columns of the tiles themselves."""
        return -self.shift, 2 * self.spec.tile_px - self.shift

    def is_visible(self, rows: Span, columns: Span) -> bool:
        """Whether some of it will be shown: always."""
        return True

    def patch(self, rows: Span, columns: Span) -> TerrainWindow:
        """Give the terrain of rows and columns first to last-plus-one; both may reach beyond it."""
        margin, shift = self.spec.margin_px, self.shift
        down, across = ((first + shift, last + shift) for first, last in (rows, columns))
        y, x = np.arange(*down), np.arange(*across)
        step = self.latitude_deg[1] - self.latitude_deg[0]
        latitude = (self.latitude_deg[0] + step * (y + margin)).astype(np.float32)[:, None]
        beyond = _outside(y + margin, self.sea.shape[0])[:, None] | _outside(x + margin, self.sea.shape[1])
        at = y + margin, x + margin
        sea, void, metres = _cut(self.sea, *at), _cut(self.void, *at), _cut(self.metres, *at)
        inner = y[margin:-margin], x[margin:-margin]
        base = None if self.base is None else _pixels(self.base, *inner)
        tints = self.tints and self.tints._replace(y=_among(y, self.tints, 3), x=_among(x, self.tints, 4))
        air = None if self.shoreline is None else Air(_pixels(self.shoreline, y, x), self.lapse)
        level = np.ones((1, 1), np.float32), np.zeros((1, 1), np.float32)
        return TerrainWindow(
            np.where(beyond, 0, metres), sea & ~beyond, void | beyond, latitude, level, y, x,
            None if base is None else Context(base[:, :3], base[:, 3:], tints), air,
        )  # fmt: skip


def _joined(cells: Tensor, spec: TileSpec) -> Tensor:
    """Join cells of two tiles, (2, C, 20, 20), and enlarge them to their pixels, (1, C, 256, 512)."""
    margin, large = spec.BASE_MARGIN_CELLS, spec.BASE_CELL_PX
    row = torch.cat([cells[0, :, :, :-margin], cells[1, :, :, margin:]], 2)[None]
    pixels = F.interpolate(row, scale_factor=large, mode="bicubic", align_corners=False)
    cut = margin * large
    return pixels[..., cut:-cut, cut:-cut]


def _tints(stored: StoredPairs, spec: TileSpec) -> Tints:
    """Join the tints of two tiles; where pixels lie among their cells, windows say."""
    margin, nowhere = spec.BASE_MARGIN_CELLS, torch.zeros(1, 0)
    west, east = stored.tints.float() / 127.5 - 1  # (3, L, 20, 20) each
    cells = torch.cat([west[..., :-margin], east[..., margin:]], -1)[None]
    zero, one = torch.zeros(1, 1, 1, 1), torch.ones(1, 1, 1, 1)
    return Tints(cells, stored.tint_levels_m[:1], nowhere, nowhere, zero, one)


def _among(places: NDArray[np.int64], tints: Tints, axis: int) -> Tensor:
    """Where pixels, counted from the western tile's corner, lie among the cells, (1, n) in [-1, 1]."""
    at = (torch.from_numpy(places).float() + 0.5) / TileSpec.BASE_CELL_PX + TileSpec.BASE_MARGIN_CELLS
    return (at / tints.cells.shape[axis] * 2 - 1)[None]


def _outside(places: NDArray[np.int64], size: int) -> NDArray[np.bool_]:
    return (places < 0) | (places >= size)


def _cut(values: NDArray[_T], y: NDArray[np.int64], x: NDArray[np.int64]) -> NDArray[_T]:
    height, width = values.shape
    return values[np.clip(y, 0, height - 1)[:, None], np.clip(x, 0, width - 1)]


def _pixels(values: Tensor, y: NDArray[np.int64], x: NDArray[np.int64]) -> Tensor:
    """Take pixels, those beyond the edge as the edge."""
    rows, columns = (
        torch.from_numpy(np.clip(places, 0, values.shape[axis] - 1)) for places, axis in ((y, -2), (x, -1))
    )
    return values.index_select(-2, rows).index_select(-1, columns)


def _drawn(trained: TrainedGenerator, strip: TileStrip, window_px: int, shift: int) -> NDArray[np.uint8]:
    """Draw the two tiles in windows of a size: (256, 512, 3)."""
    moved = TileStrip(**{**strip.__dict__, "shift": shift})
    (top, bottom), (left, right) = moved.rows, moved.columns
    canvas = np.zeros((bottom - top, right - left, 3), np.uint8)
    predictor = Predictor(trained, Mosaics(window_px=window_px, device="cpu"))
    for window in draw(predictor, moved, moved.rows, moved.columns):
        _paste(canvas, window.rgba[..., :3], window.top - top, window.left - left)
    return canvas


def _paste(canvas: NDArray[np.uint8], picture: NDArray[np.uint8], top: int, left: int) -> None:
    height, width = picture.shape[:2]
    up, west = max(0, -top), max(0, -left)
    down, east = min(height, canvas.shape[0] - top), min(width, canvas.shape[1] - left)
    if down > up and east > west:
        canvas[top + up : top + down, left + west : left + east] = picture[up:down, west:east]


def _borders(trained: TrainedGenerator, strip: TileStrip) -> list[int]:
    """List the columns at which windows of the first drawing begin; middles of ramps where they are blended."""
    if trained.tile_safe:
        spans = plan(strip.rows, strip.columns, _NARROW_PX, trained.halo_px, trained.stride).columns
        return [first for first, _ in spans[1:]]
    step = strip.spec.tile_px - RAMP_PX
    return [at for at in range(RAMP_PX // 2, strip.columns[1], step) if at > 1]


def _steps(picture: NDArray[Any], borders: list[int]) -> tuple[float, float]:
    """Compute the mean step across borders, and across the other columns: of a landscape and of a lattice alike."""
    steps = np.abs(np.diff(picture.astype(np.float32), axis=1)).mean((0, 2))  # between column k and k + 1
    across = np.array([border - 1 for border in borders if 0 < border < picture.shape[1]], np.int64)
    others = np.setdiff1d(np.arange(len(steps)), across)
    near = others[np.abs(others[:, None] - across).min(1) <= _NEAR_PX] if len(across) else others
    return float(steps[across].mean()) if len(across) else float(steps.mean()), float(steps[near].mean()) or 1e-9
