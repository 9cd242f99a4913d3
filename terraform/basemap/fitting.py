"""Learn the base model from a planet whose colours are known."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import huber_loss

from terraform.basemap.model import BaseModel, Networks, held
from terraform.config.basemap import BaseTraining
from terraform.errors import InputError
from terraform.geo.planet_grid import PlanetGrid

Box = tuple[float, float, float, float]
"""West, south, east and north, degrees; a box whose west is greater than its east crosses 180 degrees."""

_TAIL = 5e-4
_LEAST_CELLS = 16


@dataclass(frozen=True)
class Cells:
    """Cells of land to learn from, each in one month or in the composite.

    Attributes
    ----------
    features : (N, F) float32
        As `features_of` gives them.
    colours : (N, 3) float32
        Red, green and blue, 0 to 1.
    weight : (N,) float32
        How often a cell is drawn, relative to the others: its area.
    """

    def __add__(self, other: "Cells") -> "Cells":
        """Take both: other months, or other sources."""
        return Cells(
            np.concatenate([self.features, other.features]),
            np.concatenate([self.colours, other.colours]),
            np.concatenate([self.weight, other.weight]),
        )

    def scaled_to(self, share: float) -> "Cells":
        """Change the weights so that they add up to `share`."""
        return Cells(self.features, self.colours, self.weight * np.float32(share / self.weight.sum(dtype=np.float64)))

    features: NDArray[np.float32]
    colours: NDArray[np.float32]
    weight: NDArray[np.float32]


def outside(grid: PlanetGrid, boxes: Iterable[Box], margin_deg: float = 1.0) -> NDArray[np.bool_]:
    """Find the cells that lie in none of the boxes and not within a margin of one.

    Parameters
    ----------
    grid : PlanetGrid
        Where cells lie.
    boxes : iterable of (west, south, east, north)
        Degrees.
    margin_deg : float
        Width of the strip around each box that is left out too, degrees of latitude and of longitude.

    Returns
    -------
    (H, W) bool
        Cells to learn from.
    """
    free = np.ones(grid.shape, np.bool_)
    for west, south, east, north in boxes:
        rows = (grid.latitude_deg > south - margin_deg) & (grid.latitude_deg < north + margin_deg)
        width = (east - west) % 360 or 360.0
        columns = (grid.longitude_deg - (west - margin_deg)) % 360 < width + 2 * margin_deg
        free &= ~(rows[:, None] & columns)
    return free


def cells_of(
    features: NDArray[np.float32], colours: NDArray[np.float32], use: NDArray[np.bool_], grid: PlanetGrid
) -> Cells:
    """Take the cells to learn from out of a planet in one month, weighted by area, which add up to 1.

    Parameters
    ----------
    features : (H, W, F) float32
    colours : (H, W, 3) float32
        Of one month, 0 to 1.
    use : (H, W) bool
        Land that may be learnt from.
    grid : PlanetGrid
        Where they lie.
    """
    weight = np.broadcast_to(grid.area_weight, grid.shape)[use].astype(np.float32)
    return Cells(features[use], colours[use], weight).scaled_to(1.0)


def fit(cells: Cells, settings: BaseTraining, seed: int, texts: Mapping[str, str] | None = None) -> BaseModel:
    """Learn a base model on the processor; the same cells, settings and seed give the same bytes.

    Parameters
    ----------
    cells : Cells
        What is known.
    settings : BaseTraining
        Months, size and length of the training.
    seed : int
        Of the first weights, the order and the noise.
    texts : mapping, optional
        Provenance, licence and attribution for the file.

    Returns
    -------
    BaseModel
        Ready to draw.

    Raises
    ------
    InputError
        Too few cells, or values that are not finite.
    """
    _check(cells)
    low, high = _range(cells)
    generator = torch.Generator().manual_seed(seed)
    sizes = [cells.features.shape[1], *[settings.hidden] * settings.layers, 3]
    networks = Networks(sizes, settings.members)
    networks.reset(generator)
    x = torch.from_numpy(held(cells.features, low, high))
    y = torch.from_numpy(cells.colours)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        _learn(networks, x, y, _Drawing(cells.weight, generator), settings)
    return BaseModel(networks.eval(), tuple(settings.months), low, high, texts=dict(texts or {}))


class _Drawing:
    """Draws cells by weight, by inverting the cumulative weights."""

    def __init__(self, weight: NDArray[np.float32], generator: torch.Generator) -> None:
        total = np.cumsum(weight, dtype=np.float64)
        self.generator = generator
        self._edges = torch.from_numpy(total / total[-1])

    def cells(self, members: int, batch: int) -> Tensor:
        """Draw indices of cells, (members, batch) int64."""
        at = torch.rand(members, batch, generator=self.generator, dtype=torch.float64)
        return torch.searchsorted(self._edges, at).clamp_(max=len(self._edges) - 1)

    def noise(self, like: Tensor) -> Tensor:
        """Draw standard normal noise of a tensor's shape."""
        return torch.randn(like.shape, generator=self.generator)


def _learn(networks: Networks, x: Tensor, y: Tensor, drawing: _Drawing, settings: BaseTraining) -> None:
    optimiser = torch.optim.AdamW(networks.parameters(), settings.rate, weight_decay=settings.weight_decay)
    networks.train()
    for step in range(settings.steps):
        for group in optimiser.param_groups:
            group["lr"] = settings.rate * (1 + math.cos(math.pi * step / settings.steps)) / 2
        chosen = drawing.cells(settings.members, settings.batch)
        seen = x[chosen]
        seen += settings.noise * drawing.noise(seen)
        optimiser.zero_grad(set_to_none=True)
        loss = huber_loss(networks(seen, settings.dropout), y[chosen], delta=settings.huber) * settings.members
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()


def _range(cells: Cells) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Range of each feature without the rarest half per mille at either end."""
    order = np.linspace(0, len(cells.features) - 1, min(len(cells.features), 200_000)).astype(np.intp)
    low, high = np.quantile(cells.features[order], [_TAIL, 1 - _TAIL], axis=0)
    return low.astype(np.float32), high.astype(np.float32)


def _check(cells: Cells) -> None:
    count = len(cells.colours)
    if count < _LEAST_CELLS or len(cells.features) != count or len(cells.weight) != count:
        raise InputError(
            f"{len(cells.features)} cells with {count} colours and {len(cells.weight)} weights: a base model needs "
            f"at least {_LEAST_CELLS} of each, as many of one as of the other"
        )
    if not (np.isfinite(cells.features).all() and np.isfinite(cells.colours).all() and (cells.weight > 0).all()):
        raise InputError("features or colours are not finite, or a weight is not positive: leave such cells out")
