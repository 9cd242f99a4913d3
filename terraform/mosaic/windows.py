"""Windows over a strip: as large as the memory allows where a halo makes them agree, on ramps where nothing does."""

from dataclasses import dataclass
from itertools import pairwise

from terraform.learn.weights import TrainedGenerator

Span = tuple[int, int]

RAMP_PX = 32
"""Pixels that windows of a network that is not safe to tile share with a neighbour; they are as large as the tiles
that it learnt from: of 256 pixels (256 / 224)^2 = 1.31 network passes."""


@dataclass(frozen=True)
class Plan:
    """Windows over a rectangle of a strip.

    Attributes
    ----------
    rows, columns : list of spans
        What the windows draw: together the rectangle, grown to whole strides.
    halo : int
        Pixels that the network sees beyond that on every side, a multiple of the stride.
    """

    rows: list[Span]
    columns: list[Span]
    halo: int


def plan(rows: Span, columns: Span, window_px: int, halo_px: int, stride: int) -> Plan:
    """Divide a rectangle into windows of `window_px` squared pixels at most, halo included; the least is drawn twice.

    Long windows along a strip pay for the halo on their short sides only.
    """
    halo = -(-halo_px // stride) * stride
    most = max(1, -(-(rows[1] - rows[0]) // stride) + 1)
    plans = [_plan(rows, columns, window_px, halo, stride, count) for count in range(1, min(most, 64) + 1)]
    return min((found for found in plans if found), key=drawn_px, default=_smallest(rows, columns, halo, stride))


def _plan(rows: Span, columns: Span, window_px: int, halo: int, stride: int, count: int) -> Plan | None:
    """With that many windows down; None where they would be too tall."""
    down = _divided(rows, max(stride, -(-(rows[1] - rows[0] + 2 * stride) // (count * stride)) * stride), stride)
    tallest = max(last - first for first, last in down) + 2 * halo
    width = window_px * window_px // tallest // stride * stride - 2 * halo
    return Plan(down, _divided(columns, width, stride), halo) if width >= stride else None


def _smallest(rows: Span, columns: Span, halo: int, stride: int) -> Plan:
    return Plan(_divided(rows, stride, stride), _divided(columns, stride, stride), halo)


def drawn_px(windows: Plan) -> int:
    """Pixels that the network sees in all."""
    down, across = (sum(last - first + 2 * windows.halo for first, last in spans)
                    for spans in (windows.rows, windows.columns))  # fmt: skip
    return down * across


def _divided(span: Span, most: int, stride: int) -> list[Span]:
    first, last = span[0] // stride, -(-span[1] // stride)
    count = -(-(last - first) // (most // stride))
    edges = [(first + (last - first) * k // count) * stride for k in range(count + 1)]
    return list(pairwise(edges))


def grid_px(trained: TrainedGenerator) -> int:
    """Give what a band's width must be a whole multiple of, so that its windows close round the planet, pixels."""
    return trained.stride if trained.tile_safe else trained.spec.tile_px - RAMP_PX


def ramped(span: Span, origin: int, side: int) -> range:
    """List the numbers of the blended windows that a span needs; window k begins at origin + (side - ramp) k."""
    step = side - RAMP_PX
    return range((span[0] - origin - RAMP_PX + 1) // step, -(-(span[1] - origin) // step))
