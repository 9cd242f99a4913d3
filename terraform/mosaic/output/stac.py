"""The STAC item of a mosaic: what catalogues need to know of it."""

import json
import math
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pystac
from pyproj import CRS

from terraform.geo.bodies import Body
from terraform.geo.geobox import GeoBox
from terraform.mosaic.output.cog import DESCRIPTION
from terraform.mosaic.output.metadata import MosaicMetadata
from terraform.storage.atomic_write import write_text

_EXTENSIONS = [
    "https://stac-extensions.github.io/projection/v2.0.0/schema.json",
    "https://stac-extensions.github.io/ssys/v1.1.1/schema.json",
]


_PICTURES = {
    ".png": pystac.MediaType.PNG, ".jpg": pystac.MediaType.JPEG, ".jpeg": pystac.MediaType.JPEG, ".webp": "image/webp",
}  # fmt: skip


def write_item(path: Path, name: str, title: str, body: Body, frame: GeoBox, mosaic: str, label: MosaicMetadata,
          preview: str | None = None) -> None:  # fmt: skip
    """Publish the item of a mosaic that lies in the same folder.

    `geometry` is null: GeoJSON's coordinates are Earth's. Where it lies is in the projection extension.

    Parameters
    ----------
    name : str
        The item's id.
    mosaic, preview : str
        File names beside `path`; there may be no preview.
    """
    created = datetime.fromisoformat(label.made.created)
    item = pystac.Item(name, None, None, created, _properties(title, body, frame, label))
    item.stac_extensions.extend(_EXTENSIONS)
    media_type = _PICTURES.get(Path(mosaic).suffix.lower(), pystac.MediaType.COG)
    item.add_asset("mosaic", pystac.Asset(mosaic, title, media_type=media_type, roles=["data"]))
    if preview is not None:
        item.add_asset("preview", pystac.Asset(preview, media_type=pystac.MediaType.JPEG, roles=["thumbnail"]))
    document = item.to_dict(include_self_link=False, transform_hrefs=False)
    write_text(path, json.dumps(document, indent=2) + "\n")


def _properties(title: str, body: Body, frame: GeoBox, label: MosaicMetadata) -> dict[str, Any]:
    crs = CRS.from_wkt(frame.crs.to_wkt()) if frame.crs else None
    known = frame.crs.to_authority() if frame.crs else None
    return {
        "title": title,
        "description": DESCRIPTION,
        **label.properties(),
        "gsd": round(_pixel_m(frame, body, crs), 6),
        "ssys:targets": [_target(body)],
        "proj:code": ":".join(known) if known else None,
        "proj:wkt2": crs.to_wkt() if crs else None,
        "proj:shape": [frame.height, frame.width],
        "proj:transform": list(frame.transform)[:6],
        "proj:bbox": bbox(frame),
    }


def bbox(frame: GeoBox) -> list[float]:
    """Find the box that holds all four corners of a picture: west, south, east, north, in its CRS."""
    t = frame.transform
    corners = [(column, row) for row in (0, frame.height) for column in (0, frame.width)]
    x = [t.a * column + t.b * row + t.c for column, row in corners]
    y = [t.d * column + t.e * row + t.f for column, row in corners]
    return [min(x), min(y), max(x), max(y)]


def _pixel_m(frame: GeoBox, body: Body, crs: CRS | None) -> float:
    """Height of a pixel on the ground, metres, whichever way it is turned."""
    unit = 1.0
    if crs is not None:
        unit = crs.axis_info[0].unit_conversion_factor  # metres, or radians
        unit *= body.radius_m if crs.is_geographic else 1
    return float(math.hypot(frame.transform.b, frame.transform.e) * unit)


def _target(body: Body) -> str:
    """Write a body's name as catalogues do: "moon 2000", the name of a datum, is the Moon."""
    return re.split(r"[^a-z]", body.name, maxsplit=1)[0].title()
