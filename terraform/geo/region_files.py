"""Files of polygons as people have them: GeoJSON of any program, GeoPackage, Shapefile; all become features."""

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pyproj import CRS
from pyproj.exceptions import CRSError

from terraform.errors import ConfigError
from terraform.geo.bodies import Body
from terraform.storage.reading import parse_json, read_text

MEMBERS = ("name", "body", "role", "title")
"""Properties of a feature that count; all others are somebody else's."""

_MAGIC = {".gpkg": b"SQLite format 3\x00", ".shp": b"\x00\x00\x27\x0a"}
_LARGEST = 32_000_000
"""Of a file of regions, bytes: ten thousand polygons of a hundred corners fit."""
_SAME = 0.01
"""Radii that differ by less are of one body."""
_WGS84 = ("EPSG:4326", "EPSG:4979", "OGC:CRS84", "OGC:CRS84h")
_MOST_NAMES, _LONGEST_NAME = 10, 60
"""Of properties that are told to be unused."""


class Features(NamedTuple):
    """Features of a file.

    Attributes
    ----------
    features : list
        Members of a GeoJSON FeatureCollection, longitude first; not checked yet.
    crs : pyproj CRS or None
        What they are in where it is another than CRS84.
    """

    features: list[Any]
    crs: CRS | None


def read_features(path: Path) -> Features:
    """Read a file of polygons, and say once which properties are not used.

    Raises
    ------
    ConfigError
        It is missing, damaged, of another format, empty, or in metres.
    """
    is_table = path.suffix.lower() in _MAGIC and path.is_file()
    found = _from_table(path) if is_table else _from_geojson(path)
    if not found.features:
        raise ConfigError(f"{path} has no features: draw at least one polygon")
    _say_unused(path, found.features)
    return found


def _from_geojson(path: Path) -> Features:
    try:
        # Programs of Windows begin a file with a byte order mark.
        document = parse_json(read_text(path, _LARGEST), _refuse_constant)
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist: it must be a GeoJSON file with the regions' polygons") from None
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path} cannot be read, it is no text in UTF-8 ({error}): save it as UTF-8, or convert it, "
            f"ogr2ogr OUT.geojson {path.name}"
        ) from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error}") from None
    except json.JSONDecodeError as error:
        if path.suffix.lower() == ".poly":
            raise ConfigError(
                f"{path} is a polygon of Osmosis (.poly), which GDAL cannot convert: take the region from Geofabrik's "
                "index-v1.json, which is GeoJSON, or draw it"
            ) from None
        raise ConfigError(
            f"{path} is not JSON (line {error.lineno}: {error.msg}): export it again as GeoJSON, for instance "
            f"ogr2ogr OUT.geojson {path.name}"
        ) from None
    except ValueError as error:
        raise ConfigError(f"{path} is no file of regions ({error}): export it again as GeoJSON") from None
    if isinstance(document, dict) and document.get("type") == "Feature" and "geometry" in document:
        document = {"type": "FeatureCollection", "features": [document]}
    if not isinstance(document, dict) or document.get("type") != "FeatureCollection":
        what = "Esri JSON, not" if isinstance(document, dict) and "geometryType" in document else "not"
        raise ConfigError(
            f"{path} is {what} a GeoJSON FeatureCollection: export the polygons as GeoJSON (RFC 7946), for instance "
            f"ogr2ogr OUT.geojson {path.name}"
        )
    features = document.get("features")
    return Features(features if isinstance(features, list) else [], _crs(document.get("crs"), path))


def _refuse_constant(text: str) -> float:
    raise ConfigError(f"the regions file holds the number {text}: coordinates must be finite degrees")


def _crs(member: Any, path: Path) -> CRS | None:
    """Read the CRS of a GeoJSON of 2008, which names it; None for CRS84, which a newer one is always in."""
    if member is None:
        return None
    try:
        named = member["properties"]
        name = str(named["name"] if "name" in named else f"EPSG:{named['code']}")
        name = re.sub(r"^IAU2000:+(\d)", r"IAU_2015:\1", name)  # as older programs call them; the numbers are the same
        known = CRS.from_user_input("OGC:CRS84" if name.endswith("CRS84") else name)
    except (TypeError, LookupError, CRSError):
        raise ConfigError(
            f"{path} is in {member}, which is not known: reproject it to longitude and latitude (CRS84), or remove the "
            "member `crs` if its corners are longitudes and latitudes of the regions' body"
        ) from None
    return _degrees(known, path)


def _degrees(crs: CRS, path: Path) -> CRS | None:
    """Refuse what is not longitudes and latitudes; None where it is as good as CRS84."""
    if not crs.is_geographic:
        raise ConfigError(
            f"{path} is in {crs.name} ({crs.to_string()[:40]}), in metres: reproject it to longitudes and latitudes of "
            "its body, for instance ogr2ogr -t_srs EPSG:4326 OUT.geojson IN (of Mars: -t_srs IAU_2015:49900)"
        )
    meridian = crs.prime_meridian.longitude if crs.prime_meridian else 0.0
    if meridian or crs.axis_info[0].unit_name.lower() != "degree":
        raise ConfigError(
            f"{path} is in {crs.name}, whose longitudes count in {crs.axis_info[0].unit_name}s from {meridian:g}: "
            f"reproject it, ogr2ogr -t_srs EPSG:4326 OUT.geojson {path.name}"
        )
    authority = crs.to_authority()
    return None if authority and ":".join(authority) in _WGS84 else crs


def check_crs(crs: CRS | None, body: Body) -> None:
    """Refuse degrees of another body than the region's; CRS84 and EPSG:4326 serve every body.

    Raises
    ------
    ConfigError
        They are of another body, or planetographic.
    """
    if crs is None:
        return
    radius_m = crs.ellipsoid.semi_major_metre if crs.ellipsoid else body.radius_m
    if abs(radius_m / body.radius_m - 1) > _SAME:
        raise ConfigError(f"the file is in {crs.name}, and the region is on {body.name}: put it into a file of its own")
    if body.name != "earth" and "ographic" in crs.name.lower():
        raise ConfigError(
            f"the file is in {crs.name}: planetographic latitudes are others; reproject it to {body.geographic_crs}"
        )


def _from_table(path: Path) -> Features:
    """Features of a GeoPackage or a Shapefile."""
    import geopandas

    if path.stat().st_size > _LARGEST:
        raise ConfigError(f"{path} is larger than {_LARGEST:,} bytes: leave out what is no region, or simplify it")
    with path.open("rb") as file:
        start = file.read(16)
    if not start.startswith(_MAGIC[path.suffix.lower()]):
        raise ConfigError(f"{path} is no {path.suffix[1:]} file: export the polygons again")
    try:
        table = geopandas.read_file(path, layer=_layer(path))
    except (OSError, ValueError, RuntimeError) as error:
        raise ConfigError(f"{path} cannot be read ({error}): export the polygons again, as GeoJSON") from None
    plain = table.set_crs(None, allow_override=True)
    # Columns that are somebody else's may hold dates and bytes.
    features = json.loads(plain.to_json(na="drop", default=str)) if len(table) else {"features": []}
    crs = None if table.crs is None else _degrees(CRS.from_user_input(table.crs), path)
    return Features(features["features"], crs)


def _layer(path: Path) -> str | None:
    import geopandas

    table = geopandas.list_layers(path)
    # A table without geometries, such as the styles that QGIS keeps, has no kind: None, or NaN.
    kinds = zip(table["name"], table["geometry_type"], strict=True)
    layers = [str(name) for name, kind in kinds if isinstance(kind, str)]
    if len(layers) > 1 and "regions" not in layers:
        raise ConfigError(f"{path} has the layers {', '.join(layers)}: call the one with the regions `regions`")
    return "regions" if "regions" in layers else next(iter(layers), None)


def _say_unused(path: Path, features: Sequence[Any]) -> None:
    properties = [of.get("properties") for of in features if isinstance(of, dict)]
    names = dict.fromkeys(name for of in properties if isinstance(of, dict) for name in of if name not in MEMBERS)
    if names:
        told = ", ".join(_printable(str(name)) for name in list(names)[:_MOST_NAMES])
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        print(
            f"{path}: properties that are not used: {told}{more} (used: {', '.join(MEMBERS)})",
            file=sys.stderr, flush=True,
        )  # fmt: skip


def _printable(name: str) -> str:
    """Shorten a name, and leave out what would change a terminal."""
    plain = "".join(letter if letter.isprintable() else "?" for letter in name)
    return plain if len(plain) <= _LONGEST_NAME else plain[:_LONGEST_NAME] + "..."
