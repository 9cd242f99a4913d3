"""What the Earth Engine stand-in computes: the operations that we use, on the assets of `ee_ground`."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from servers.ee_ground import ARC_SECOND, ASSETS, Band, Grid, Plane, unseen_ocean


class Refused(Exception):
    """The request is wrong: HTTP 400 with this text."""


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
    if id not in ASSETS or id.startswith("COPERNICUS/"):
        raise Refused(f"Image.load: Image asset '{id}' not found (does not exist or caller does not have access).")
    return Picture(ASSETS[id])


def _collection(id: str) -> str:
    if not id.startswith("COPERNICUS/DEM/GLO30"):
        raise Refused(f"ImageCollection.load: ImageCollection asset '{id}' not found.")
    return id


def _mosaic(collection: str) -> Picture:
    return Picture(ASSETS[collection], placed=False)


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
