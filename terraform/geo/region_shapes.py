"""The polygon of a region, checked, and continuous in longitude."""

import math
from collections.abc import Sequence
from typing import Any

import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from terraform.errors import ConfigError
from terraform.geo.bodies import Body

_ROUNDING_DEG = 1e-6
"""What an export may add to 90 or 180 degrees."""
_SLIVER_DEG = 1e-3
"""Parts of one region that end so near the antimeridian meet there."""
_APART = 4.0
"""Boxes so many times as large as the parts in them are mostly something else."""
_LARGE_KM2 = 50_000.0


def checked_geometry(geometry: Any, bbox: Any, body: Body) -> BaseGeometry:
    """Read and check the geometry of a feature.

    Parameters
    ----------
    geometry, bbox : any
        Members of a GeoJSON feature; longitude first, degrees. Of other bodies than Earth longitudes may count to 360.
    body : Body
        On which it lies.

    Returns
    -------
    shapely geometry
        Polygon or multipolygon, continuous in longitude: its east may pass 180.

    Raises
    ------
    ConfigError
        It is no valid polygon, without the region's name.
    """
    if not isinstance(geometry, dict):
        raise ConfigError("it has no geometry: draw a polygon")
    if geometry.get("type") not in ("Polygon", "MultiPolygon"):
        raise ConfigError(f"its geometry is a {geometry.get('type')}: draw a polygon or a multipolygon")
    around = body.name != "earth"
    for ring in _rings(geometry):
        _check_ring(ring, 540.0 if around else 180.0)
    try:
        outline = shape({**geometry, "coordinates": _flat(geometry["coordinates"])})
    except (ValueError, TypeError, AttributeError, shapely.errors.ShapelyError) as error:
        raise ConfigError(f"its coordinates cannot be read ({error}): export the polygon again") from None
    outline = shapely.transform(shapely.force_2d(outline), _rounded)
    outline = _counted_from_greenwich(outline) if outline.bounds[2] > 180 else _continuous(outline, bbox)
    if not outline.is_valid:
        why = shapely.is_valid_reason(outline)
        raise ConfigError(f"its polygon is not valid ({why}): redraw it there without crossing lines")
    if outline.area <= 0:
        raise ConfigError("its polygon has no area: draw at least three different corners")
    return outline


def _flat(coordinates: Any) -> Any:
    """Take heights and measures away: of each corner longitude and latitude remain."""
    if coordinates and not isinstance(coordinates[0], list | tuple):
        return coordinates[:2]
    return [_flat(part) for part in coordinates]


def _rings(geometry: dict[str, Any]) -> list[Any]:
    coordinates = geometry.get("coordinates")
    polygons = [coordinates] if geometry["type"] == "Polygon" else coordinates
    if not isinstance(polygons, list) or not all(isinstance(polygon, list) and polygon for polygon in polygons):
        raise ConfigError("its polygon has no coordinates: draw at least three corners")
    return [ring for polygon in polygons for ring in polygon]


def _check_ring(ring: Any, east: float) -> None:
    try:
        points = [(float(point[0]), float(point[1])) for point in ring]
    except (TypeError, ValueError, LookupError, OverflowError):
        raise ConfigError("a corner is not a pair of numbers [longitude, latitude]: export the polygon again") from None
    if len(points) < 4 or points[0] != points[-1]:
        raise ConfigError(f"a ring has {len(points)} corners or is not closed: it needs 4, the last equal to the first")
    for lon, lat in points:
        _check_corner(lon, lat, east)


def _check_corner(lon: float, lat: float, east: float) -> None:
    if -180 - _ROUNDING_DEG <= lon <= east + _ROUNDING_DEG and abs(lat) <= 90 + _ROUNDING_DEG:
        return
    given = f"corner ({lon:.10g}, {lat:.10g})"
    if abs(lat) <= 90 + _ROUNDING_DEG and 180 < lon <= 360:
        raise ConfigError(
            f"{given} counts its longitude to 360: subtract 360 from what is above 180, and split a polygon that "
            "crosses the antimeridian there"
        )
    if abs(lat) > 90 >= abs(lon):
        raise ConfigError(f"{given} has its latitude first: swap to [longitude, latitude]")
    raise ConfigError(
        f"{given} is no longitude and latitude in degrees (-180..180, -90..90): reproject to CRS84; split a polygon "
        "that crosses the antimeridian there"
    )


def _rounded(points: Any) -> Any:
    """Take what an export added to 90 and 180 degrees away."""
    points = points.copy()
    for column, limit in ((0, 180.0), (1, 90.0)):
        values = points[:, column]
        near = abs(abs(values) - limit) <= _ROUNDING_DEG
        values[near] = limit * (1 - 2 * (values[near] < 0))
    return points


def _counted_from_greenwich(outline: BaseGeometry) -> BaseGeometry:
    """Take longitudes that count to 360 as those from -180, the region still in one piece."""
    if (
        len(shapely.get_parts(outline)) > 1
        and outline.bounds[0] <= _SLIVER_DEG
        and outline.bounds[2] >= 360 - _SLIVER_DEG
    ):
        outline = shapely.transform(outline, _met_at_360)
    west, _, east, _ = outline.bounds
    if west >= 180 - _ROUNDING_DEG:
        return shapely.transform(outline, lambda points: points - (360, 0))
    if east - west < 360 - _ROUNDING_DEG:
        return outline
    halves = [shapely.intersection(outline, shapely.box(low, -90, low + 180, 90)) for low in (0, 180)]
    return shapely.union_all([halves[0], shapely.transform(halves[1], lambda points: points - (360, 0))])


def _met_at_360(points: Any) -> Any:
    """Join parts that end a hair before 360 degrees and begin a hair after 0."""
    points = points.copy()
    for edge in (0.0, 360.0):
        points[abs(points[:, 0] - edge) <= _SLIVER_DEG, 0] = edge
    return points


def _continuous(outline: BaseGeometry, bbox: Any) -> BaseGeometry:
    """Move what lies beyond the antimeridian by 360 degrees, so that the region is one piece in longitude.

    Three ways of saying it are understood: parts that end at 180 and begin at -180 (RFC 7946, 3.1.9), or a hair before,
    a bbox whose west is greater than its east (5.2), and an edge longer than 180 degrees.
    """
    parts = shapely.get_parts(outline)
    if len(parts) > 1 and outline.bounds[0] <= _SLIVER_DEG - 180 and outline.bounds[2] >= 180 - _SLIVER_DEG:
        outline = shapely.transform(outline, _met)
        parts = shapely.get_parts(outline)
    west, _, east, _ = outline.bounds
    split = len(parts) > 1 and west == -180 and east == 180
    crossing = _says_crossing(bbox) or (
        not (west == -180 and east == 180) and any(_longest_step(part) > 180 for part in parts)
    )
    if crossing:
        return shapely.transform(outline, _eastward)
    if split:
        moved = [shapely.transform(part, _eastward) if part.bounds[2] <= 0 else part for part in parts]
        # The corners that the cut at 180 made lie on straight lines.
        return shapely.union_all(moved).simplify(0)
    return outline


def _met(points: Any) -> Any:
    points = points.copy()
    near = abs(abs(points[:, 0]) - 180) <= _SLIVER_DEG
    points[near, 0] = 180.0 * (1 - 2 * (points[near, 0] < 0))
    return points


def _says_crossing(bbox: Any) -> bool:
    """Whether a bbox of four numbers, or of six with heights, has its west east of its east."""
    numbers = isinstance(bbox, list) and len(bbox) in (4, 6) and all(isinstance(edge, int | float) for edge in bbox)
    return bool(numbers and bbox[0] > bbox[len(bbox) // 2])


def _eastward(points: Any) -> Any:
    points = points.copy()
    points[points[:, 0] < 0, 0] += 360
    return points


def _longest_step(part: BaseGeometry) -> float:
    longitudes = shapely.get_coordinates(part)[:, 0]
    return float(abs(longitudes[1:] - longitudes[:-1]).max())


def scattered(outline: BaseGeometry, body: Body) -> str | None:
    """Say what parts that lie far apart would cost: everything between them is fetched too; None where they do not."""
    parts = shapely.get_parts(outline)
    whole = area_km2(outline.bounds, body)
    own = sum(area_km2(part.bounds, body) for part in parts)
    if len(parts) < 2 or whole < _LARGE_KM2 or whole < _APART * own:
        return None
    pixel_m, bytes_ = (30.0, 5) if body.name == "earth" else (200.0, 2)
    size = whole * 1e6 / pixel_m**2 * bytes_ / 1e9
    return (
        f"its {len(parts)} parts lie far apart: the box around them has {whole:,.0f} km2, {whole / own:,.0f} times as "
        f"much as they, and all of it is fetched (about {size:,.1f} GB of pixels of {pixel_m:g} m); make each a region "
        "of its own"
    )


def area_km2(bounds: Sequence[float], body: Body) -> float:
    """Area between two meridians and two parallels of a body's sphere, square kilometres."""
    west, south, east, north = bounds
    share = math.sin(math.radians(north)) - math.sin(math.radians(south))
    return math.radians(east - west) * share * (body.radius_m / 1000) ** 2
