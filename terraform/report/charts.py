"""Charts of the report: lines over images seen, and dots with intervals beside each other."""

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from terraform.report.svg import drawing, element, line, shown, text, ticks

_WIDTH, _HEIGHT = 420.0, 230.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 12.0, 12.0, 34.0
_ROW, _NAMES = 24.0, 128.0
MOST_POINTS = 300
"""Of a line: rows of a longer history are averaged."""


class Series(NamedTuple):
    """A line of a chart.

    Attributes
    ----------
    name : str
    points : sequence of (x, y)
        Ascending in x.
    colour : int
        Which of the page's colours, from 1.
    dots : bool
        Mark the points.
    """

    name: str
    points: Sequence[tuple[float, float]]
    colour: int
    dots: bool = False


class Interval(NamedTuple):
    """A value with its interval.

    Attributes
    ----------
    name : str
    value : float
    low, high : float or None
    kind : {"own", "floor", "real", "other"}
        How it is drawn: what is judged, the floor that real imagery reaches, other real imagery, a straw man.
    """

    name: str
    value: float
    low: float | None
    high: float | None
    kind: str


def line_chart(label: str, series: Sequence[Series], across: str, mark: float | None = None) -> Markup:
    """Draw lines from zero, or from the lowest value where that is below.

    Parameters
    ----------
    label : str
        What the chart shows.
    series : sequence of Series
    across : str
        What lies along the x axis.
    mark : float, optional
        A place on it to mark.
    """
    drawn = [one._replace(points=_thinned(one.points)) for one in series]
    points = [point for one in drawn for point in one.points]
    x = _Axis(0, max(point[0] for point in points), _LEFT, _WIDTH - _RIGHT)
    lowest = min(0.0, min(point[1] for point in points))
    y = _Axis(lowest, max(point[1] for point in points) * 1.05 or 1.0, _HEIGHT - _BOTTOM, _TOP)
    parts = [
        *(_level(y.at(value), f"{value:,g}") for value in ticks(y.low, y.high)),
        *(text(x.at(value), _HEIGHT - 18, f"{value:,g}", class_="tick mid") for value in ticks(x.low, x.high)),
        text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 3, across, class_="tick mid"),
    ]
    if mark is not None:
        parts.append(line(x.at(mark), _TOP, x.at(mark), _HEIGHT - _BOTTOM, class_="mark"))
    for one in drawn:
        path = " ".join(f"{x.at(a):.1f},{y.at(b):.1f}" for a, b in one.points)
        parts.append(element("polyline", points=path, class_=f"line c{one.colour}"))
        if one.dots:
            parts += [_dot(x.at(a), y.at(b), f"{one.name}, {a:,g}: {shown(b)}", f"dot c{one.colour}")
                      for a, b in one.points]  # fmt: skip
    return drawing(_WIDTH, _HEIGHT, label, *parts, class_="chart")


def interval_chart(label: str, values: Sequence[Interval], target: float | None = None) -> Markup:
    """Draw values below each other on one scale, each with its interval; what real imagery reaches as a band.

    Parameters
    ----------
    label : str
        What the chart shows.
    values : sequence of Interval
    target : float, optional
        The value to reach.
    """
    ends = [end for one in values for end in (one.value, one.low, one.high) if end is not None]
    ends += [target] if target is not None else []
    low, high = min(0.0, *ends), max(0.0, *ends)
    x = _Axis(low, high + 0.04 * (high - low) or 1.0, _NAMES, _WIDTH - 58)
    height = _ROW * len(values) + 26
    parts = [
        element("g", line(x.at(value), 4, x.at(value), height - 20, class_="grid"),
                text(x.at(value), height - 6, f"{value:,g}", class_="tick mid"))
        for value in ticks(x.low, x.high, 4)
    ]  # fmt: skip
    floors = [one for one in values if one.kind == "floor"]
    parts += [_band(x.at(one.low), x.at(one.high), height - 20)
              for one in floors if one.low is not None and one.high is not None]  # fmt: skip
    if target is not None:
        parts.append(line(x.at(target), 4, x.at(target), height - 20, class_="target"))
    parts += [_row(one, x, _ROW * (row + 0.5) + 4) for row, one in enumerate(values)]
    return drawing(_WIDTH, height, label, *parts, class_="chart")


def _row(one: Interval, x: "_Axis", y: float) -> Markup:
    told = interval_text(one.value, one.low, one.high)
    whisker = ""
    if one.low is not None and one.high is not None:
        whisker = line(x.at(one.low), y, x.at(one.high), y, class_="whisker")
    return element(
        "g",
        element("title", f"{one.name}: {told}"),
        text(_NAMES - 10, y + 4, one.name, class_="name end"),
        whisker,
        element("circle", cx=x.at(one.value), cy=y, r=5 if one.kind == "own" else 4, class_="point"),
        text(_WIDTH - 4, y + 4, shown(one.value), class_="value end"),
        class_=one.kind,
    )


def interval_text(value: float, low: float | None, high: float | None) -> str:
    """Write a value and its interval."""
    return shown(value) if low is None or high is None else f"{shown(value)} ({shown(low)} to {shown(high)})"


class _Axis(NamedTuple):
    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Find the place of a value on the drawing."""
        return self.start + (value - self.low) / ((self.high - self.low) or 1.0) * (self.end - self.start)


def _level(y: float, said: str) -> Markup:
    return element("g", line(_LEFT, y, _WIDTH - _RIGHT, y, class_="grid"),
                   text(_LEFT - 6, y + 4, said, class_="tick end"))  # fmt: skip


def _band(start: float, end: float, bottom: float) -> Markup:
    return element("rect", x=min(start, end), y=4, width=max(abs(end - start), 1.5), height=bottom - 4, class_="band")


def _dot(x: float, y: float, said: str, kind: str) -> Markup:
    return element("circle", element("title", said), cx=x, cy=y, r=3.2, class_=kind)


def _thinned(points: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    """Average neighbours of a long line."""
    size = -(-len(points) // MOST_POINTS)
    if size <= 1:
        return points
    parts = [points[start : start + size] for start in range(0, len(points), size)]
    return [(part[-1][0], sum(y for _, y in part) / len(part)) for part in parts]
