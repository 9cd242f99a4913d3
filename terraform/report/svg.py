"""Drawings as SVG whose colours are classes of the page's style sheet, so that they follow its light and dark."""

import math

from markupsafe import Markup


def element(name: str, *inside: str, **attributes: float | str | None) -> Markup:
    """Write one element; text and values are escaped, other elements are not.

    Parameters
    ----------
    name : str
        Of the element.
    *inside : str
        Text, or elements.
    **attributes : number, str or None
        `class_` is `class`, an underscore elsewhere a hyphen; of numbers two decimals; None leaves it out.
    """
    given = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items() if value is not None}
    told = Markup("").join(Markup(' {}="{}"').format(key, _short(value)) for key, value in given.items())
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(name), told, Markup("").join(inside))  # noqa: S704  (names are ours)


def drawing(width: float, height: float, label: str, *inside: str, **attributes: float | str | None) -> Markup:
    """Write a drawing that is as wide as its place on the page; `label` is for those who do not see it."""
    box = Markup("0 0 {} {}").format(_short(width), _short(height))
    return element("svg", *inside, viewBox=box, role="img", aria_label=label, **attributes)


def text(x: float, y: float, said: str, **attributes: float | str | None) -> Markup:
    """Write a text at a place."""
    return element("text", said, x=x, y=y, **attributes)


def line(x1: float, y1: float, x2: float, y2: float, **attributes: float | str | None) -> Markup:
    """Draw a straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, **attributes)


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Choose round values from `low` to `high`, `most` at most."""
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        return [low]
    size = 10 ** math.floor(math.log10((high - low) / most))
    step = next(size * part for part in (1, 2, 2.5, 5, 10, 20) if (high - low) / (size * part) <= most - 1 + 1e-9)
    return [step * count for count in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def shown(value: float) -> str:
    """Write a number for people: three digits that count, thousands apart."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    told = f"{value:,.{min(digits, 8)}f}"
    return told.rstrip("0").rstrip(".") if "." in told and abs(value) < 1e-3 else told


def _short(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return f"{value:.2f}".rstrip("0").rstrip(".")
