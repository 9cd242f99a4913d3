"""What the Earth Engine stand-in computes: the operations that we use, on a ground that is a function of place.

The ground has land (the heights of `surface`), sea of exactly 0 m, ocean without data and land without data, by the
position within a degree (`sea`, `unseen_ocean`, `unseen_land`).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from servers.surface import height_m

Plane = NDArray[np.float64]
ARC_SECOND = 1 / 3600


class Refused(Exception):
    """The request is wrong: HTTP 400 with this text."""


class Grid(NamedTuple):
    """Centres of the output pixels in degrees, (H, 1) and (1, W), and the size of a pixel."""

    lat: Plane
    lon: Plane
    height: float
    width: float

    @property
    def key(self) -> tuple[float, ...]:
        """What tells it from others."""
        return (*self.lat.shape, *self.lon.shape, float(self.lat[0, 0]), float(self.lon[0, 0]), self.height, self.width)


class Band(NamedTuple):
    """Values and where they are valid."""

    values: Plane
    mask: NDArray[np.bool_]


@dataclass(frozen=True)
class Picture:
    """An image that is computed when its pixels are asked for, as Earth Engine does.

    `placed` says that it has a projection of its own; a mosaic has none, and cannot be averaged.
    """

    bands: Callable[[Grid], dict[str, Band]]
    placed: bool = True

    def __post_init__(self) -> None:
        made: dict[tuple[float, ...], dict[str, Band]] = {}
        compute = self.bands

        def once(grid: Grid) -> dict[str, Band]:
            if grid.key not in made:
                made[grid.key] = compute(grid)
            return made[grid.key]

        object.__setattr__(self, "bands", once)


def sea(lon: Plane, lat: Plane) -> NDArray[np.bool_]:
    """Water at exactly 0 m: the western tenth of each degree."""
    return np.broadcast_arrays(np.mod(lon, 1) < 0.1, lat)[0]


def unseen_ocean(lon: Plane, lat: Plane) -> NDArray[np.bool_]:
    """Ocean for which there is no tile: the southern tenth of what is sea."""
    return sea(lon, lat) & (np.mod(lat, 1) < 0.1)


def unseen_land(lon: Plane, lat: Plane) -> NDArray[np.bool_]:
    """Land that was not seen: the north-eastern hundredth of each degree."""
    return (np.mod(lon, 1) > 0.9) & (np.mod(lat, 1) > 0.9)


def picture(expression: dict[str, Any]) -> Picture:
    """The image of an expression as the client sends it.

    Raises
    ------
    Refused
        It uses something that is not imitated here, or that Earth Engine would refuse.
    """
    values = expression["values"]
    made = _value({"valueReference": expression["result"]}, values, {})
    if not isinstance(made, Picture):
        raise Refused("Expression does not evaluate to an image.")
    return made


def grid_of(asked: dict[str, Any]) -> Grid:
    """The pixel centres of a request; translate is the outer corner of pixel (0, 0)."""
    affine, size = asked["affineTransform"], asked["dimensions"]
    lon = affine["translateX"] + (np.arange(size["width"]) + 0.5) * affine["scaleX"]
    lat = affine["translateY"] + (np.arange(size["height"]) + 0.5) * affine["scaleY"]
    return Grid(lat[:, None], lon[None, :], abs(affine["scaleY"]), abs(affine["scaleX"]))


def _value(node: dict[str, Any], values: dict[str, Any], known: dict[str, Any]) -> Any:
    if "valueReference" in node:
        name = node["valueReference"]
        if name not in known:
            known[name] = _value(values[name], values, known)
        return known[name]
    if "constantValue" in node:
        return node["constantValue"]
    if "functionInvocationValue" not in node:
        raise Refused(f"not imitated here: {sorted(node)}")
    call = node["functionInvocationValue"]
    name = call["functionName"]
    arguments = {key: _value(inner, values, known) for key, inner in call.get("arguments", {}).items()}
    if name in _POINTWISE:
        return _pointwise(_POINTWISE[name], arguments)
    if name not in _FUNCTIONS:
        raise Refused(f"Unknown function {name}, or one that is not imitated here")
    return _FUNCTIONS[name](**arguments)


def _load(id: str) -> Picture:
    if id not in _ASSETS or id.startswith("COPERNICUS/"):
        raise Refused(f"Image.load: Image asset '{id}' not found (does not exist or caller does not have access).")
    return Picture(_ASSETS[id])


def _collection(id: str) -> str:
    if not id.startswith("COPERNICUS/DEM/GLO30"):
        raise Refused(f"ImageCollection.load: ImageCollection asset '{id}' not found.")
    return id


def _mosaic(collection: str) -> Picture:
    return Picture(_ASSETS[collection], placed=False)


def _placed(image: Picture, crs: Any, crsTransform: Any = None, scale: float | None = None) -> Picture:
    if crsTransform is None or abs(crsTransform[0] - ARC_SECOND) > 1e-12:
        raise Refused("only a projection of one arc second is imitated here")
    return replace(image, placed=True)


def _select(input: Picture, bandSelectors: list[str], newNames: list[str] | None = None) -> Picture:
    def bands(grid: Grid) -> dict[str, Band]:
        made = input.bands(grid)
        absent = [name for name in bandSelectors if name not in made]
        if absent:
            raise Refused(f"Image.select: Band pattern '{absent[0]}' did not match any bands.")
        return {new: made[old] for old, new in zip(bandSelectors, newNames or bandSelectors, strict=True)}

    return replace(input, bands=bands)


def _rename(input: Picture, names: list[str]) -> Picture:
    def bands(grid: Grid) -> dict[str, Band]:
        return dict(zip(names, input.bands(grid).values(), strict=True))

    return replace(input, bands=bands)


def _add_bands(dstImg: Picture, srcImg: Picture, **_: Any) -> Picture:
    return Picture(lambda grid: {**dstImg.bands(grid), **srcImg.bands(grid)}, dstImg.placed)


def _constant(value: float) -> Picture:
    def bands(grid: Grid) -> dict[str, Band]:
        shape = np.broadcast_shapes(grid.lat.shape, grid.lon.shape)
        return {"constant": Band(np.full(shape, float(value)), np.ones(shape, bool))}

    return Picture(bands, placed=False)


def _unmask(input: Picture, value: Any = None, sameFootprint: bool = True) -> Picture:
    def bands(grid: Grid) -> dict[str, Band]:
        fill = 0.0 if value is None else next(iter(_as_picture(value).bands(grid).values())).values
        everywhere = not sameFootprint
        return {
            name: Band(np.where(band.mask, band.values, fill), band.mask | everywhere | _footprint(grid))
            for name, band in input.bands(grid).items()
        }

    return replace(input, bands=bands)


def _footprint(grid: Grid) -> NDArray[np.bool_]:
    """Where SRTM has tiles at all."""
    return (np.abs(grid.lat + 2) < 58) & ~unseen_ocean(grid.lon, grid.lat)


def _mask(image: Picture) -> Picture:
    return replace(image, bands=lambda grid: {
        name: Band(band.mask.astype(float), np.ones_like(band.mask)) for name, band in image.bands(grid).items()
    })  # fmt: skip


def _reduce_resolution(
    image: Picture, reducer: str, bestEffort: bool = False, maxPixels: int = 64
) -> Picture:  # fmt: skip
    if reducer != "mean":
        raise Refused(f"only the mean is imitated here, not {reducer}")
    if not image.placed:
        raise Refused(
            "Image.reduceResolution: The input to reduceResolution does not have a valid default projection. "
            "Use setDefaultProjection() first."
        )

    def bands(grid: Grid) -> dict[str, Band]:
        down, across = (max(1, round(size / ARC_SECOND)) for size in (grid.height, grid.width))
        if down * across > maxPixels and not bestEffort:
            raise Refused(f"ReduceResolution: Too many input pixels per output pixel (over {maxPixels}).")
        return {name: _mean(band, down, across) for name, band in image.bands(_finer(grid, down, across)).items()}

    return Picture(bands)


def _finer(grid: Grid, down: int, across: int) -> Grid:
    def split(centres: Plane, size: float, parts: int, sign: int) -> Plane:
        offsets = sign * ((np.arange(parts) + 0.5) / parts - 0.5) * size
        return (centres.ravel()[:, None] + offsets).ravel()

    lat = split(grid.lat, grid.height, down, -1)[:, None]
    lon = split(grid.lon, grid.width, across, 1)[None, :]
    return Grid(lat, lon, grid.height / down, grid.width / across)


def _mean(band: Band, down: int, across: int) -> Band:
    height, width = band.values.shape[0] // down, band.values.shape[1] // across
    shape = (height, down, width, across)
    count = band.mask.reshape(shape).sum((1, 3))
    total = np.where(band.mask, band.values, 0).reshape(shape).sum((1, 3))
    return Band(total / np.maximum(count, 1), count > 0)


def _pointwise(function: Callable[..., Plane], arguments: dict[str, Any]) -> Picture:
    operands = [_as_picture(argument) for argument in arguments.values()]

    def bands(grid: Grid) -> dict[str, Band]:
        first, *others = [picture.bands(grid) for picture in operands]
        other = [next(iter(made.values())) for made in others]
        mask = np.logical_and.reduce([band.mask for band in other]) if other else True
        return {
            name: Band(function(band.values, *[b.values for b in other]), band.mask & mask)
            for name, band in first.items()
        }

    return Picture(bands, any(picture.placed for picture in operands))


def _update_mask(image: Picture, mask: Picture) -> Picture:
    def bands(grid: Grid) -> dict[str, Band]:
        chosen = next(iter(_as_picture(mask).bands(grid).values()))
        keep = chosen.mask & (chosen.values != 0)
        return {name: Band(band.values, band.mask & keep) for name, band in image.bands(grid).items()}

    return replace(image, bands=bands)


def _as_picture(value: Any) -> Picture:
    return value if isinstance(value, Picture) else _constant(value)


def _native(centres: Plane) -> Plane:
    """Centres of the model's own pixels, on whole arc seconds: without averaging, the nearest is what one gets."""
    return np.rint(centres / ARC_SECOND) * ARC_SECOND


def _srtm(grid: Grid) -> dict[str, Band]:
    lat, lon = _native(grid.lat), _native(grid.lon)
    water = sea(lon, lat)
    seen = ~unseen_ocean(lon, lat) & ~unseen_land(lon, lat) & (np.abs(lat + 2) < 58)
    heights = np.where(water, 0, np.rint(height_m(lon, lat)))
    return {"elevation": Band(heights, seen), "swb": Band(np.where(water, 255.0, 0.0), seen)}


def _glo30(grid: Grid) -> dict[str, Band]:
    lat, lon = _native(grid.lat), _native(grid.lon)
    water = sea(lon, lat)
    seen = ~unseen_ocean(lon, lat) & ~unseen_land(lon, lat)
    return {
        "DEM": Band(np.where(water, 0.0, height_m(lon, lat)), seen),
        "WBM": Band(np.where(water, 1.0, 0.0), seen),
    }


def _etopo(grid: Grid) -> dict[str, Band]:
    water = sea(grid.lon, grid.lat)
    return {"bedrock": Band(np.where(water, -120.0, 80.0), np.ones_like(water))}


_ASSETS: dict[str, Callable[[Grid], dict[str, Band]]] = {
    "USGS/SRTMGL1_003": _srtm,
    "NASA/NASADEM_HGT/001": _srtm,
    "COPERNICUS/DEM/GLO30_2024_1": _glo30,
    "NOAA/NGDC/ETOPO1": _etopo,
}

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "Image.load": _load, "ImageCollection.load": _collection, "ImageCollection.mosaic": _mosaic,
    "Image.setDefaultProjection": _placed, "Image.select": _select, "Image.rename": _rename,
    "Image.addBands": _add_bands, "Image.constant": _constant, "Image.unmask": _unmask, "Image.mask": _mask,
    "Image.updateMask": _update_mask, "Image.reduceResolution": _reduce_resolution,
    "Reducer.mean": lambda: "mean", "Projection": lambda crs, **_: crs,
}  # fmt: skip

_POINTWISE: dict[str, Callable[..., Plane]] = {
    "Image.eq": lambda a, b: (a == b).astype(float), "Image.neq": lambda a, b: (a != b).astype(float),
    "Image.lte": lambda a, b: (a <= b).astype(float), "Image.gt": lambda a, b: (a > b).astype(float),
    "Image.lt": lambda a, b: (a < b).astype(float), "Image.gte": lambda a, b: (a >= b).astype(float),
    "Image.and": lambda a, b: ((a != 0) & (b != 0)).astype(float),
    "Image.or": lambda a, b: ((a != 0) | (b != 0)).astype(float),
    "Image.not": lambda a: (a == 0).astype(float), "Image.multiply": lambda a, b: a * b,
    "Image.add": lambda a, b: a + b, "Image.round": np.rint, "Image.toInt16": lambda a: np.clip(a, -32768, 32767),
    "Image.toByte": lambda a: np.clip(a, 0, 255), "Image.toUint8": lambda a: np.clip(a, 0, 255),
    "Image.max": np.maximum,
}  # fmt: skip
