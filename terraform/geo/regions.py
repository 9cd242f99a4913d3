"""`regions.geojson`: the polygons to learn from and to draw, checked before anything starts."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import shapely
from shapely.geometry import box, shape
from shapely.geometry.base import BaseGeometry

from terraform.errors import ConfigError
from terraform.geo.bodies import BODIES, Body

Role = Literal["train", "validation", "test", "mosaic"]
ROLES: tuple[Role, ...] = ("train", "validation", "test", "mosaic")

_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}
_MEMBERS = {"name", "body", "role", "title"}


@dataclass(frozen=True)
class Region:
    """One feature of `regions.geojson`.

    Attributes
    ----------
    name : str
        A slug, safe as a folder's name.
    body : Body
        The planet it lies on.
    role : {"train", "validation", "test", "mosaic"}
        What its tiles are for.
    title : str
        For people.
    geometry : shapely geometry
        Polygon or multipolygon in degrees; continuous in longitude, so that its east may pass 180.
    """

    name: str
    body: Body
    role: Role
    title: str
    geometry: BaseGeometry

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north, degrees; west < east, and east may pass 180."""
        west, south, east, north = self.geometry.bounds
        return west, south, east, north

    @property
    def fingerprint(self) -> str:
        """Digest of the body and the polygon: what cutting depends on. Order of vertices and format do not count."""
        canonical = self.geometry.normalize()
        text = f"{self.body.name} {shapely.to_wkt(canonical, rounding_precision=9)}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def load_regions(path: Path | str) -> dict[str, Region]:
    """Read and check all regions of a file.

    Raises
    ------
    ConfigError
        Anything in the file is wrong: one line per mistake, with the region's name and the remedy.
    """
    collection = _parsed(Path(path))
    regions: dict[str, Region] = {}
    mistakes: list[str] = []
    for number, feature in enumerate(collection):
        try:
            region = _region(feature, number)
            if region.name in regions:
                raise ConfigError(f"region {region.name!r} appears twice: give one of them another name")
            regions[region.name] = region
        except ConfigError as error:
            mistakes.append(f"{path}: {error}")
    if mistakes:
        raise ConfigError("\n".join(mistakes))
    return regions


def select(
    regions: Mapping[str, Region],
    include: Iterable[str] | None,
    split: Mapping[str, Iterable[str]],
    exclude: Iterable[str] = (),
) -> dict[str, Region]:
    """Choose the regions named in `include` (when None, all but those in `exclude`), in the roles that `split` gives.

    Raises
    ------
    ConfigError
        A name is not in the file, or two roles claim the same region.
    """
    left_out = set(exclude) if include is None else set()
    chosen = [name for name in (regions if include is None else include) if name not in left_out]
    roles: dict[str, str] = {}
    for role, names in split.items():
        for name in names:
            if roles.setdefault(name, role) != role:
                raise ConfigError(f"split: region {name!r} is both {roles[name]} and {role}: keep one")
    for name in [*chosen, *roles]:
        if name not in regions:
            raise ConfigError(f"region {name!r} is not in the regions file: known are {', '.join(regions)}")
    return {name: _with_role(regions[name], roles.get(name)) for name in chosen}


def of_role(regions: Mapping[str, Region], *roles: Role) -> list[Region]:
    """Those of a role, by name."""
    return sorted((r for r in regions.values() if r.role in roles), key=lambda region: region.name)


def _with_role(region: Region, role: str | None) -> Region:
    if role is None:
        return region
    return Region(region.name, region.body, _checked_role(role), region.title, region.geometry)


def _parsed(path: Path) -> list[Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist: it must be a GeoJSON file with the regions' polygons") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from None
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"{path} is not JSON (line {error.lineno}: {error.msg}): export it again as GeoJSON"
        ) from None
    if not isinstance(document, dict) or document.get("type") != "FeatureCollection":
        raise ConfigError(f"{path} is not a GeoJSON FeatureCollection: export the polygons as GeoJSON (RFC 7946)")
    _check_crs(document, path)
    features = document.get("features")
    if not isinstance(features, list) or not features:
        raise ConfigError(f"{path} has no features: draw at least one polygon")
    return features


def _refuse_constant(text: str) -> float:
    raise ConfigError(f"the regions file holds the number {text}: coordinates must be finite degrees")


def _check_crs(document: dict[str, Any], path: Path) -> None:
    crs = document.get("crs")
    try:
        name = "CRS84" if crs is None else str(crs["properties"]["name"])
    except (TypeError, LookupError):
        name = str(crs)
    if not name.endswith("CRS84"):
        raise ConfigError(f"{path} is in {name}: RFC 7946 allows longitude and latitude (CRS84) only, reproject it")


def _region(feature: Any, number: int) -> Region:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    if not isinstance(properties, dict):
        raise ConfigError(f"feature {number} has no properties: it needs name, body and role")
    name = _checked_name(properties.get("name"), number)
    unknown = sorted(set(properties) - _MEMBERS)
    if unknown:
        raise ConfigError(
            f"region {name!r} has unknown properties {', '.join(unknown)}: use {', '.join(sorted(_MEMBERS))}"
        )
    body = properties.get("body")
    if not isinstance(body, str) or body not in BODIES:
        raise ConfigError(f"region {name!r}: body is {body!r}, expected one of {', '.join(BODIES)}")
    try:
        role = _checked_role(properties.get("role"))
        geometry = _checked_geometry(feature.get("geometry"), feature.get("bbox"))
    except ConfigError as error:
        raise ConfigError(f"region {name!r}: {error}") from None
    return Region(name, BODIES[body], role, str(properties.get("title") or name), geometry)


def _checked_name(name: Any, number: int) -> str:
    if not isinstance(name, str) or not _SLUG.fullmatch(name) or name in _RESERVED:
        raise ConfigError(
            f"feature {number} is named {name!r}: a name is 1 to 64 lower-case letters, digits, '_' or '-', begins "
            "with a letter or digit and is no reserved file name (put anything else into 'title')"
        )
    return name


def _checked_role(role: Any) -> Role:
    for known in ROLES:
        if role == known:
            return known
    raise ConfigError(f"role is {role!r}, expected one of {', '.join(ROLES)}")


def _checked_geometry(geometry: Any, bbox: Any) -> BaseGeometry:
    if not isinstance(geometry, dict):
        raise ConfigError("it has no geometry: draw a polygon")
    if geometry.get("type") not in ("Polygon", "MultiPolygon"):
        raise ConfigError(f"its geometry is a {geometry.get('type')}: draw a polygon or a multipolygon")
    rings = _rings(geometry)
    for ring in rings:
        _check_ring(ring)
    try:
        outline = shape(geometry)
    except (ValueError, TypeError, AttributeError, shapely.errors.ShapelyError) as error:
        raise ConfigError(f"its coordinates cannot be read ({error}): export the polygon again") from None
    outline = _continuous(shapely.force_2d(outline), bbox)
    if not outline.is_valid:
        why = shapely.is_valid_reason(outline)
        raise ConfigError(f"its polygon is not valid ({why}): redraw it there without crossing lines")
    if outline.area <= 0:
        raise ConfigError("its polygon has no area: draw at least three different corners")
    return outline


def _rings(geometry: dict[str, Any]) -> list[Any]:
    coordinates = geometry.get("coordinates")
    polygons = [coordinates] if geometry["type"] == "Polygon" else coordinates
    if not isinstance(polygons, list) or not all(isinstance(polygon, list) and polygon for polygon in polygons):
        raise ConfigError("its polygon has no coordinates: draw at least three corners")
    return [ring for polygon in polygons for ring in polygon]


def _check_ring(ring: Any) -> None:
    try:
        points = [(float(point[0]), float(point[1])) for point in ring]
    except (TypeError, ValueError, LookupError, OverflowError):
        raise ConfigError("a corner is not a pair of numbers [longitude, latitude]: export the polygon again") from None
    if len(points) < 4 or points[0] != points[-1]:
        raise ConfigError(f"a ring has {len(points)} corners or is not closed: it needs 4, the last equal to the first")
    for lon, lat in points:
        if abs(lat) > 90 >= abs(lon):
            raise ConfigError(f"corner ({lon:g}, {lat:g}) has its latitude first: swap to [longitude, latitude]")
        if abs(lon) > 180 or abs(lat) > 90:
            raise ConfigError(
                f"corner ({lon:g}, {lat:g}) is no longitude and latitude in degrees (-180..180, -90..90): reproject to "
                "CRS84; split a polygon that crosses the antimeridian there"
            )


def _continuous(outline: BaseGeometry, bbox: Any) -> BaseGeometry:
    """Move what lies beyond the antimeridian by 360 degrees, so that the region is one piece in longitude.

    Three ways of saying it are understood: parts that end at 180 and begin at -180 (RFC 7946, 3.1.9), a bbox whose west
    is greater than its east (5.2), and an edge longer than 180 degrees.
    """
    west, _, east, _ = outline.bounds
    parts = shapely.get_parts(outline)
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


def _says_crossing(bbox: Any) -> bool:
    numbers = isinstance(bbox, list) and len(bbox) == 4 and all(isinstance(edge, int | float) for edge in bbox)
    return numbers and bbox[0] > bbox[2]


def _eastward(points: Any) -> Any:
    points = points.copy()
    points[points[:, 0] < 0, 0] += 360
    return points


def _longest_step(part: BaseGeometry) -> float:
    longitudes = shapely.get_coordinates(part)[:, 0]
    return float(abs(longitudes[1:] - longitudes[:-1]).max())


def rectangle(west: float, south: float, east: float, north: float) -> BaseGeometry:
    """Make a region's polygon from its edges, degrees."""
    return box(west, south, east if east > west else east + 360, north)
