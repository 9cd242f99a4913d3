"""A map of where regions lie on their body, drawn over its colours where the run made them."""

import math
from collections.abc import Mapping, Sequence

import shapely
from markupsafe import Markup

from terraform.geo.regions import Region
from terraform.report.svg import drawing, element, line, text

_PER_DEGREE = 3.0
_BADGE = 11.0


def region_map(regions: Sequence[Region], numbers: Mapping[str, int], picture: str | None) -> Markup:
    """Draw regions of one body in plate carree, each with its number.

    Parameters
    ----------
    regions : sequence of Region
        Of one body.
    numbers : mapping of str to int
        What the table beside it calls them.
    picture : str or None
        Data URL of the whole body, 180 W to 180 E, 90 N to 90 S.
    """
    width, height = 360 * _PER_DEGREE, 180 * _PER_DEGREE
    parts: list[Markup] = [element("rect", width=width, height=height, class_="ground")]
    if picture:
        parts.append(element("image", href=picture, width=width, height=height, preserveAspectRatio="none"))
    parts += _graticule()
    placed: list[tuple[float, float]] = []
    for region in regions:
        place = _free(_middle(region), placed)
        placed.append(place)
        parts.append(_drawn(region, numbers[region.name], place))
    name = regions[0].body.name.capitalize()
    return drawing(width, height, f"{name}: where the regions lie", *parts, class_="map")


def _drawn(region: Region, number: int, place: tuple[float, float]) -> Markup:
    x, y = place
    outline = "".join(_path(part, shift) for shift in (0, -360) for part in shapely.get_parts(region.geometry))
    return element(
        "g",
        element("title", f"{number}: {region.title} ({region.role})"),
        element("path", d=outline, class_="outline"),
        line(*_middle(region), x, y, class_="leader"),
        element("circle", cx=x, cy=y, r=_BADGE, class_="badge"),
        text(x, y + 5, str(number), class_="number mid"),
        class_=f"role-{region.role}",
    )


def _graticule() -> list[Markup]:
    meridians = [line(*_at(lon, 90), *_at(lon, -90), class_="grid") for lon in range(-150, 180, 30)]
    parallels = [line(*_at(-180, lat), *_at(180, lat), class_="grid") for lat in range(-60, 90, 30)]
    named = [text(*_at(-179, lat + 1), f"{abs(lat)}° {'N' if lat > 0 else 'S'}", class_="degrees")
             for lat in (-60, -30, 30, 60)]  # fmt: skip
    return [*meridians, *parallels, *named]


def _path(part: shapely.Geometry, shift: float) -> str:
    points = [_at(lon + shift, lat) for lon, lat in shapely.get_coordinates(shapely.get_exterior_ring(part))]
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + "Z"


def _middle(region: Region) -> tuple[float, float]:
    west, south, east, north = region.bounds
    return _at(((west + east) / 2 + 180) % 360 - 180, (south + north) / 2)


def _free(place: tuple[float, float], taken: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Find the nearest place for a badge that covers neither the region nor another badge."""
    for distance in (24, 36, 48, 60):
        for turn in range(8):
            angle = math.radians(45 * turn - 45)
            x, y = place[0] + distance * math.cos(angle), place[1] + distance * math.sin(angle)
            inside = _BADGE < x < 360 * _PER_DEGREE - _BADGE and _BADGE < y < 180 * _PER_DEGREE - _BADGE
            if inside and all(math.hypot(x - a, y - b) > 2.2 * _BADGE for a, b in taken):
                return x, y
    return place


def _at(lon: float, lat: float) -> tuple[float, float]:
    return (lon + 180) * _PER_DEGREE, (90 - lat) * _PER_DEGREE
