"""`regions.geojson`: the polygons to learn from and to draw, checked before anything starts."""

import difflib
import hashlib
import re
import sys
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import shapely
from pyproj import CRS
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from terraform.errors import ConfigError
from terraform.geo.bodies import BODIES, Body
from terraform.geo.region_files import MEMBERS, check_crs, read_features
from terraform.geo.region_shapes import checked_geometry, scattered

Role = Literal["train", "validation", "test", "mosaic"]
ROLES: tuple[Role, ...] = ("train", "validation", "test", "mosaic")

_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}

_LONGEST_TITLE = 200
_NO_LETTERS = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Categories of Unicode: control characters, halves of pairs, separators of lines and of paragraphs."""


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

    @cached_property
    def fingerprint(self) -> str:
        """Digest of the body and the polygon: what cutting depends on. Order of vertices and format do not count."""
        canonical = self.geometry.normalize()
        text = f"{self.body.name} {shapely.to_wkt(canonical, rounding_precision=9)}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def load_regions(path: Path | str) -> dict[str, Region]:
    """Read and check all regions of a file: GeoJSON, GeoPackage or Shapefile.

    Raises
    ------
    ConfigError
        Anything in the file is wrong: one line per mistake, with the region's name and the remedy.
    """
    collection, crs = read_features(Path(path))
    regions: dict[str, Region] = {}
    mistakes: list[str] = []
    for number, feature in enumerate(collection):
        try:
            region = _region(feature, number, crs)
            if region.name in regions:
                raise ConfigError(f"region {region.name!r} appears twice: give one of them another name")
            regions[region.name] = region
            apart = scattered(region.geometry, region.body)
            if apart:
                print(f"warning: {path}: region {region.name!r}: {apart}", file=sys.stderr, flush=True)
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


def _region(feature: Any, number: int, crs: CRS | None = None) -> Region:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    if not isinstance(properties, dict):
        raise ConfigError(f"feature {number} has no properties: it needs name, body and role")
    name = _checked_name(properties.get("name"), number, _meant("name", properties))
    body = properties.get("body")
    if not isinstance(body, str) or body not in BODIES:
        more = _meant("body", properties)
        raise ConfigError(f"region {name!r}: body is {body!r}, expected one of {', '.join(BODIES)}{more}")
    try:
        role = _checked_role(properties.get("role"), _meant("role", properties))
        check_crs(crs, BODIES[body])
        geometry = checked_geometry(feature.get("geometry"), feature.get("bbox"), BODIES[body])
    except ConfigError as error:
        raise ConfigError(f"region {name!r}: {error}") from None
    return Region(name, BODIES[body], role, _checked_title(properties.get("title"), name), geometry)


def _checked_title(title: Any, name: str) -> str:
    """Refuse a title that no picture can carry: it is written into previews and pages, on one line."""
    text = str(title or name)
    if len(text) > _LONGEST_TITLE or any(unicodedata.category(letter) in _NO_LETTERS for letter in text):
        raise ConfigError(
            f"region {name!r}: its title has {len(text)} characters or a line break or a control character: a title is "
            f"one line of at most {_LONGEST_TITLE} characters"
        )
    return text


def _meant(member: str, properties: Mapping[str, Any]) -> str:
    """Name a property that may have been meant, where one is missing: its name is like it."""
    if properties.get(member) is not None:
        return ""
    like = {str(name).lower(): name for name in properties if name not in MEMBERS}
    close = difflib.get_close_matches(member, list(like), 1)
    return f"; is it the property {like[close[0]]!r}? Call it {member!r}" if close else ""


def _checked_name(name: Any, number: int, more: str = "") -> str:
    if not isinstance(name, str) or not _SLUG.fullmatch(name) or name in _RESERVED:
        raise ConfigError(
            f"feature {number} is named {name!r}: a name is 1 to 64 lower-case letters, digits, '_' or '-', begins "
            f"with a letter or digit and is no reserved file name (put anything else into 'title'){more or _like(name)}"
        )
    return name


def _like(name: Any) -> str:
    """Suggest a name like one that cannot be: "Genève 2" becomes "geneve-2"."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode() if isinstance(name, str) else ""
    slug = re.sub(r"[^a-z0-9_]+", "-", plain.lower()).strip("-_")[:64]
    return f": such as {slug!r}" if _SLUG.fullmatch(slug) and slug not in _RESERVED else ""


def _checked_role(role: Any, more: str = "") -> Role:
    for known in ROLES:
        if role == known:
            return known
    raise ConfigError(f"role is {role!r}, expected one of {', '.join(ROLES)}{more}")


def rectangle(west: float, south: float, east: float, north: float) -> BaseGeometry:
    """Make a region's polygon from its edges, degrees."""
    return box(west, south, east if east > west else east + 360, north)
