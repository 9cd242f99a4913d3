"""Drawing heights that lie on no map: a pixel size and a latitude are enough, and an `.npy` needs no GDAL."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from terraform.config import Mosaics, parse
from terraform.errors import InputError
from terraform.geo.bodies import EARTH
from terraform.geo.heights import Heights, plane_of
from terraform.geo.resample import Axis, gather_masked, taps
from terraform.geo.tile_spec import DEFAULT_TILE, TileSpec
from terraform.learn import weights
from terraform.learn.weights import TrainedGenerator
from terraform.mosaic import inference as generate
from terraform.mosaic.base.air_map import AirMap
from terraform.mosaic.base.base_map import BaseMap, colour_map
from terraform.mosaic.elevation import from_array
from terraform.mosaic.inference import Predictor
from terraform.mosaic.output.announce import announce
from terraform.mosaic.output.metadata import describe
from terraform.mosaic.policy import low_pass, measure_hypsometry
from terraform.mosaic.terrain import ElevationModel, ImageWindow, TerrainWindow
from terraform.pairs.store import HEADER_ERRORS, save_array

Span = tuple[int, int]
_T = TypeVar("_T", bound=np.generic)

_MOST_PIXEL_M = 1e6
_DEGREE_M = 1.0
"""A plane is counted in metres: a 'degree' of its axes is one."""


@dataclass(frozen=True)
class PlaneTerrain:
    """Heights on a tile's pixels, all at one latitude; nothing beyond their edges."""

    relief: ElevationModel
    heights: Heights
    broad: NDArray[np.float32] | None
    latitude_deg: float
    base: BaseMap | None = None
    air: AirMap | None = None
    spec: TileSpec = DEFAULT_TILE

    @property
    def pixel_m(self) -> float:
        """Side of a pixel, metres."""
        return self.spec.pixel_m

    @property
    def top(self) -> int:
        """First row that is drawn, as the terrain counts them."""
        return 0

    def is_visible(self, rows: Span, columns: Span) -> bool:
        """Whether some of it will be shown: always."""
        return True

    def patch(self, rows: Span, columns: Span) -> TerrainWindow:
        """Give the terrain of rows and columns first to last-plus-one; both may reach beyond it."""
        sea, void = _cut(self.heights.sea, rows, columns, False), _cut(self.heights.void, rows, columns, True)
        seen = Heights(_cut(self.heights.metres, rows, columns, 0), sea, void)
        broad = None if self.broad is None else _cut(self.broad, rows, columns, 0)
        average = None if broad is None else Heights(broad, sea, void)
        latitude = np.full((1, 1), self.latitude_deg)
        east = np.ones((1, 1), np.float32), np.zeros((1, 1), np.float32)
        found = self.relief.apply_policy(seen, average, (np.arange(*rows), np.arange(*columns)), latitude, east)
        if self.air is not None:
            there = self.air.on_axes(Axis(self.latitude_deg, 1e-9, sea.shape[0]), Axis(0.0, 1e-9, sea.shape[1]))
            found = found._replace(air=self.relief.air_over(found, seen, there))
        if self.base is None:
            return found
        # One colour: where it lies is not known.
        down, right = (Axis(0.0, 1e-9, size - 2 * self.spec.margin_px) for size in sea.shape)
        return found._replace(base=self.base.on_axes(down, right))


def draw(
    trained: TrainedGenerator, read: Callable[[], Heights], elevation: Path, output: Path, settings: Mosaics,
    pixel_m: float | None, latitude_deg: float | None, base: str | None = None, climate: Path | None = None,
) -> None:  # fmt: skip
    """Draw heights on a plane into `.npy`, a picture (without GDAL) or `.tif`; see `mosaic.render_raster`.

    Parameters
    ----------
    read : callable
        Gives the heights, (H, W).
    elevation : Path
        Where they are from.

    Raises
    ------
    InputError
        Pixel size or latitude are missing, or it is no array of heights.
    """
    if pixel_m is None or latitude_deg is None or not _is_place(pixel_m, latitude_deg):
        raise InputError(
            f"{elevation} does not say where it lies: give --pixel-size (metres, above 0; given {pixel_m}) and "
            f"--latitude (-90 to 90 degrees; given {latitude_deg})"
        )
    raw = read()
    label = describe(trained, elevation, pixel_m)
    terrain = _terrain(raw, pixel_m, latitude_deg, settings, trained.spec)
    terrain = replace(terrain, base=_base(base, trained), air=_air(climate, trained))
    predictor = Predictor(trained, settings)
    announce(None, settings, base or "none", terrain.heights.metres.shape, trained.spec.pixel_m, predictor)
    _save(_drawn(predictor, terrain), output, settings, label.tags(), trained.spec.pixel_m)


def _drawn(predictor: Predictor, terrain: PlaneTerrain) -> NDArray[np.uint8]:
    height, width = terrain.heights.metres.shape
    return _together(generate.draw(predictor, terrain, (0, height), (0, width)), height, width)


@dataclass(frozen=True)
class Generator:
    """A trained generator that draws arrays of heights; `terraform.load_generator` loads it.

    Attributes
    ----------
    trained : TrainedGenerator
        Network, encoding, settings and provenance (licence and attribution of what it draws).
    device : {"auto", "cpu", "cuda"}
        Where it draws.
    """

    trained: TrainedGenerator
    device: Literal["auto", "cpu", "cuda"] = "cpu"

    @classmethod
    def load(cls, path: Path, device: Literal["auto", "cpu", "cuda"]) -> "Generator":
        """Load weights onto a device; "auto" is the GPU where there is one."""
        chosen = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
        return cls(weights.load(path, chosen), device)

    def __call__(
        self,
        heights_m: NDArray[Any],
        pixel_m: float = DEFAULT_TILE.pixel_m,
        latitude_deg: float = 45.0,
        shoreline_m: float | None = None,
        base: str | None = None,
    ) -> NDArray[np.uint8]:
        """Draw heights on pixels of 200 m.

        Parameters
        ----------
        heights_m : (H, W) int or float
            Heights above the datum, metres, row 0 in the north; NaN is missing.
        pixel_m : float
            Side of their pixels, metres.
        latitude_deg : float
            Of their middle, for sun and climate, degrees north.
        shoreline_m : float, optional
            What lies below it is sea; by default heights are drawn as on Earth, and nothing is sea.
        base : str, optional
            One base colour such as `#7a6a4f`, for weights that need base colours.

        Returns
        -------
        (h, w, 4) uint8
            Red, green, blue and 255 where there are heights; h is round(H * pixel_m / 200).

        Raises
        ------
        InputError
            It is no plane of heights; no place has such a pixel size or latitude; base colours are needed and missing.
        """
        if not _is_place(pixel_m, latitude_deg):
            raise InputError(
                f"pixel_m is {pixel_m} and latitude_deg is {latitude_deg}: expected metres above 0, and "
                "-90 to 90 degrees"
            )
        policy = {"policy": "clip"} if shoreline_m is None else {"policy": "sea_level", "shoreline_m": shoreline_m}
        settings = parse({"mosaics": {"elevation": policy, "device": self.device}}, "load_generator").mosaics
        raw = plane_of(np.asarray(heights_m), "the array", None, 1.0)
        terrain = _terrain(raw, pixel_m, latitude_deg, settings, self.trained.spec)
        terrain = replace(terrain, base=_base(base, self.trained), air=_air(None, self.trained))
        return _drawn(Predictor(self.trained, settings), terrain)


def _is_place(pixel_m: float, latitude_deg: float) -> bool:
    """Whether a pixel has a size that its body holds, and a latitude; NaN is none."""
    return 0 < pixel_m <= _MOST_PIXEL_M and abs(latitude_deg) <= 90


def _terrain(raw: Heights, pixel_m: float, latitude_deg: float, settings: Mosaics, spec: TileSpec) -> PlaneTerrain:
    rows, columns = (Axis(0, pixel_m, count) for count in raw.metres.shape)
    source = from_array(raw, Axis(0, -pixel_m, rows.count), columns, _DEGREE_M)
    wide, high = (Axis(0, spec.pixel_m, max(1, round(axis.end / spec.pixel_m))) for axis in (columns, rows))
    down, right = taps(rows, high), taps(columns, wide)
    metres, valid = gather_masked(raw.metres, ~raw.void, down, right)
    nothing = np.zeros(valid.shape, np.bool_)
    broad = None
    if settings.elevation.policy == "relief":
        average = low_pass(source, flat=True)
        found = average.read((0, average.latitudes.count), (0, average.longitudes.count))
        along = Axis(0, -average.latitudes.step, average.latitudes.count)
        broad, _ = gather_masked(found.metres, ~found.void, taps(along, high), taps(average.longitudes, wide))
    relief = ElevationModel(source, settings.elevation, measure_hypsometry(source, flat=True), None)
    return PlaneTerrain(relief, Heights(metres, nothing, ~valid), broad, latitude_deg, spec=spec)


def _base(given: str | None, trained: TrainedGenerator) -> BaseMap | None:
    """Make base colours of a plane, of which no body is known: a colour."""
    if not trained.needs_base:
        return None
    if given is None or not given.startswith("#"):
        raise InputError(
            f"these weights need base colours, and heights that lie on no map take one colour (given {given}): give "
            "one such as '#7a6a4f' (--base on the command line, base= in Python)"
        )
    return colour_map(given)


def _air(climate: Path | None, trained: TrainedGenerator) -> AirMap | None:
    """Give a plane, of which no body is known, the mean climate of Earth at its latitude."""
    if not trained.condition.needs_climate:
        return None
    if climate is not None:
        raise InputError(
            f"heights that lie on no map take the zonal climate of their latitude: leave out --climate {climate}"
        )
    from terraform.mosaic.base.zonal import zonal_air

    return zonal_air(EARTH)


def read_heights(path: Path, nodata: float | None, metres_: float) -> Heights:
    """Read a plane of heights from an `.npy`, (H, W): metres, with what is missing marked as void.

    `nodata` and `metres_` as for `plane_of`.

    Raises
    ------
    InputError
        It is damaged, no plane of numbers, or void everywhere.
    """
    try:
        values = np.load(path, allow_pickle=False)
    except (OSError, *HEADER_ERRORS) as error:
        raise InputError(f"{path} cannot be read as .npy ({error}): save it with numpy.save") from None
    return plane_of(values, str(path), nodata, metres_)


def _together(blocks: Iterable[ImageWindow], height: int, width: int) -> NDArray[np.uint8]:
    picture = np.zeros((height, width, 4), np.uint8)
    for block in blocks:
        top, left = max(0, block.top), max(0, block.left)
        part = block.rgba[top - block.top : height - block.top, left - block.left : width - block.left]
        picture[top : top + part.shape[0], left : left + part.shape[1]] = part
    picture[picture[..., 3] == 0] = 0
    return picture


def _save(picture: NDArray[np.uint8], output: Path, settings: Mosaics, tags: dict[str, str], pixel_m: float) -> None:
    if output.suffix.lower() == ".npy":
        save_array(output, picture)
    elif output.suffix.lower() not in (".tif", ".tiff"):
        from terraform.mosaic.output.picture_file import save_rgba

        save_rgba(picture, output, tags)
    else:
        from rasterio.transform import Affine

        from terraform.geo.geobox import GeoBox
        from terraform.mosaic.output import cog

        frame = GeoBox(picture.shape[0], picture.shape[1], Affine(pixel_m, 0, 0, 0, -pixel_m, 0), None)
        cog.write(output, frame, [np.moveaxis(picture, -1, 0)], settings.compression, tags)


def _cut(values: NDArray[_T], rows: Span, columns: Span, beyond: float) -> NDArray[_T]:
    """Cut a window that may reach beyond an array."""
    result = np.full((rows[1] - rows[0], columns[1] - columns[0]), beyond, values.dtype)
    top, left = max(0, rows[0]), max(0, columns[0])
    part = values[top : max(top, rows[1]), left : max(left, columns[1])]
    result[top - rows[0] : top - rows[0] + part.shape[0], left - columns[0] : left - columns[0] + part.shape[1]] = part
    return result
