"""What the page's template shows: tables, figures and facts."""

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from terraform.report.svg import shown


class Figure(NamedTuple):
    """A picture or a chart with its caption.

    Attributes
    ----------
    caption : str
    picture : str or None
        Data URL.
    chart : Markup or None
    key : sequence of (str, int)
        Names of a chart's lines and their colours.
    """

    caption: str
    picture: str | None = None
    chart: Markup | None = None
    key: Sequence[tuple[str, int]] = ()


class Number(NamedTuple):
    """A number as a file has it, and the interval around it.

    Attributes
    ----------
    value : float or int
    low, high : float or None
    unit : str
    best : bool
        To be set off.
    """

    value: float
    low: float | None = None
    high: float | None = None
    unit: str = ""
    best: bool = False


Cell = str | Number | None


class Table(NamedTuple):
    """Rows of texts and numbers; None is an empty cell."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    caption: str = ""


class Fact(NamedTuple):
    """One thing and its value."""

    name: str
    value: Cell


def quantity(value: float) -> Markup:
    """Write a number for people, with the file's own beside it."""
    told = f"{value:,}" if isinstance(value, int) else shown(value)
    return Markup('<data value="{}">{}</data>').format(repr(value), told)
