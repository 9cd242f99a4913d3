"""Files as the public buckets keep them: true names, layouts, CRS and types, of the heights of `surface`."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from PIL import Image
from pyproj import Transformer
from rasterio.shutil import copy
from rasterio.transform import Affine

from servers.surface import height_m

Heights = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]


def cog(
    path: Path, values: NDArray[Any], crs: str, transform: Affine, nodata: float | None = None, **options: Any
) -> Path:
    """Write a cloud-optimised TIFF, as GDAL makes them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = values.shape
    plain = path.with_suffix(".plain.tif")
    with rasterio.open(
        plain, "w", driver="GTiff", height=height, width=width, count=1, dtype=values.dtype.name, crs=crs,
        transform=transform, nodata=nodata,
    ) as dataset:  # fmt: skip
        dataset.write(values, 1)
    copy(plain, path, driver="COG", **{"COMPRESS": "DEFLATE", "PREDICTOR": "YES", "BLOCKSIZE": 128, **options})
    plain.unlink()
    return path


def corner(south: int, west: int) -> tuple[str, str]:
    """N46 and E008."""
    return f"{'N' if south >= 0 else 'S'}{abs(south):02}", f"{'E' if west >= 0 else 'W'}{abs(west):03}"


def srtm(
    folder: Path, south: int, west: int, side: int = 361, heights: Heights = height_m,
    void: tuple[int, int] | None = None, crs: str = "EPSG:4326", **options: Any,
) -> Path:  # fmt: skip
    """A tile of SRTM GL1: pixels centred on whole arc seconds, edges shared with the neighbours; here coarser."""
    step = 1 / (side - 1)
    lon = west + step * np.arange(side)
    lat = south + 1 - step * np.arange(side)
    values = np.rint(heights(lon[None, :], lat[:, None])).astype(np.int16)
    if void is not None:
        values[void] = -32768
    path = folder / "SRTM_GL1" / "SRTM_GL1_srtm" / f"{''.join(corner(south, west))}.tif"
    transform = Affine(step, 0, west - step / 2, 0, -step, south + 1 + step / 2)
    return cog(path, values, crs, transform, -32768, **options)


def srtm_list(folder: Path) -> Path:
    """The virtual mosaic that names all tiles of the folder."""
    names = sorted(path.name for path in (folder / "SRTM_GL1" / "SRTM_GL1_srtm").glob("*.tif"))
    sources = "".join(f'<SourceFilename relativeToVRT="1">SRTM_GL1_srtm/{name}</SourceFilename>' for name in names)
    path = folder / "SRTM_GL1" / "SRTM_GL1_srtm.vrt"
    path.write_text(f'<VRTDataset rasterXSize="1" rasterYSize="1">{sources}</VRTDataset>')
    return path


def copernicus(
    folder: Path, south: int, west: int, spacing: str = "10", side: int = 400, width: int | None = None,
    heights: Heights = height_m, **options: Any,
) -> Path:  # fmt: skip
    """A tile of GLO-30 ("10") or GLO-90 ("30"): shifted by half a pixel, fewer columns in the north."""
    width = width or side
    dy, dx = 1 / side, 1 / width
    left, top = west - dx / 2, south + 1 + dy / 2
    lon = left + dx * (np.arange(width) + 0.5)
    lat = top - dy * (np.arange(side) + 0.5)
    values = heights(lon[None, :], lat[:, None]).astype(np.float32)
    lat_name, lon_name = corner(south, west)
    name = f"Copernicus_DSM_COG_{spacing}_{lat_name}_00_{lon_name}_00_DEM"
    return cog(folder / name / f"{name}.tif", values, "EPSG:4326", Affine(dx, 0, left, 0, -dy, top), **options)


def copernicus_list(folder: Path) -> Path:
    """The list of tiles at the root of a bucket."""
    names = sorted(path.name for path in folder.glob("Copernicus_*") if path.is_dir())
    (folder / "tileList.txt").write_text("\r\n".join(names or ["Copernicus_DSM_COG_10_N00_00_E006_00_DEM"]) + "\r\n")
    return folder / "tileList.txt"


def planet(
    path: Path, height: int, width: int, degrees: bool, heights: Heights = height_m, crs: str | None = None,
    radius_m: float = 3_396_190, west: float = -180,
) -> Path:  # fmt: skip
    """A map of Mars in one file of uncompressed rows, as the HRSC-MOLA blend (degrees) and the map of MOLA (metres)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unit = 1.0 if degrees else np.pi * radius_m / 180
    dx, dy = 360 / width, 180 / height
    lon = west + dx * (np.arange(width) + 0.5)
    lat = 90 - dy * (np.arange(height) + 0.5)
    values = np.rint(heights(lon[None, :], lat[:, None])).astype(np.int16)
    with rasterio.open(
        path, "w", driver="GTiff", height=height, width=width, count=1, dtype="int16", blockysize=1, bigtiff="YES",
        crs=crs or ("ESRI:104971" if degrees else "IAU_2015:49910"), nodata=-32768,
        transform=Affine(dx * unit, 0, west * unit, 0, -dy * unit, 90 * unit),
    ) as dataset:  # fmt: skip
        dataset.write(values, 1)
    return path


def megdr(folder: Path, north: int, west: int, rows: tuple[int, int], heights: Heights = height_m) -> Path:
    """A tile of MEGDR at 128 pixels a degree, in its true size; only some rows of it are written, the rest is 0."""
    folder.mkdir(parents=True, exist_ok=True)
    height, width = 44 * 128, 90 * 128
    path = folder / f"megt{abs(north):02}{'n' if north >= 0 else 's'}{west:03}hb.img"
    image = np.memmap(path, ">i2", "w+", shape=(height, width))
    lon = west + (np.arange(width) + 0.5) / 128
    lat = north - (np.arange(*rows) + 0.5) / 128
    image[slice(*rows)] = np.rint(heights(lon[None, :], lat[:, None]))
    image.flush()
    return path


def mosaic120(
    folder: Path, date: str, zone: str, epsg: int, west_m: float, north_m: float, shape: tuple[int, int],
    reflectance: Callable[[NDArray[np.float64], NDArray[np.float64], str], NDArray[np.float64]], **options: Any,
) -> list[Path]:  # fmt: skip
    """The bands of a grid zone of the Sentinel-2 mosaic: digital numbers in UTM, 0 is missing."""
    transform = Affine(120, 0, west_m, 0, -120, north_m)
    x = west_m + 120 * (np.arange(shape[1]) + 0.5)
    y = north_m - 120 * (np.arange(shape[0]) + 0.5)
    lon, lat = Transformer.from_crs(epsg, 4326, always_xy=True).transform(*np.meshgrid(x, y))
    year, month, day = (int(part) for part in date.split("-"))
    made = []
    for band in ("B02", "B03", "B04"):
        numbers = np.rint(10_000 * reflectance(lon, lat, band)).astype(np.uint16)
        path = folder / f"{year}/{month}/{day}/{zone}/{band}.tif"
        made.append(cog(path, numbers, f"EPSG:{epsg}", transform, 0, **{"OVERVIEWS": "NONE", **options}))
    return made


def terrarium(folder: Path, zoom: int, x: int, y: int, heights: Heights = height_m) -> Path:
    """A tile of the Terrain Tiles: heights in red, green and blue."""
    count = 1 << zoom
    column, row = x + (np.arange(256) + 0.5) / 256, y + (np.arange(256) + 0.5) / 256
    lon, lat = 360 * column / count - 180, np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * row / count))))
    code = np.rint((heights(lon[None, :], lat[:, None]) + 32768) * 256).astype(np.int64)
    path = folder / str(zoom) / str(x) / f"{y}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    rgb = np.stack([code >> 16, code >> 8 & 255, code & 255], axis=-1).astype(np.uint8)
    Image.fromarray(rgb).save(path)
    return path


def megdr_planet(folder: Path, per_degree: int, heights: Heights) -> Path:
    """A map of MEGDR of the whole planet, 0 to 360 E, 90 N to 90 S, at 4 pixels a degree."""
    letter = {4: "c", 16: "e", 32: "f"}[per_degree]
    path = folder / f"meg{per_degree:03}" / f"megt90n000{letter}b.img"
    path.parent.mkdir(parents=True, exist_ok=True)
    lon = (np.arange(360 * per_degree) + 0.5) / per_degree
    lat = 90 - (np.arange(180 * per_degree) + 0.5) / per_degree
    path.write_bytes(np.rint(heights(lon[None, :], lat[:, None])).astype(">i2").tobytes())
    return path


def worldclim(folder: Path, name: str, months: Callable[[int, Any, Any], Any], dtype: str, nodata: float) -> Path:
    """An archive of WorldClim: twelve rasters of one degree, missing west of 180 W + 20."""
    folder.mkdir(parents=True, exist_ok=True)
    lon, lat = -180 + (np.arange(360) + 0.5), 90 - (np.arange(180) + 0.5)
    path = folder / f"{name}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for month in range(1, 13):
            values = np.asarray(months(month, lon[None, :], lat[:, None]), np.float64)
            values = np.where(lon[None, :] < -160, nodata, np.broadcast_to(values, (180, 360))).astype(dtype)
            tif = folder / "month.tif"
            with rasterio.open(
                tif, "w", driver="GTiff", height=180, width=360, count=1, dtype=dtype, nodata=nodata, crs="EPSG:4326",
                transform=Affine(1, 0, -180, 0, -1, 90), compress="deflate",
            ) as dataset:  # fmt: skip
                dataset.write(values, 1)
            archive.write(tif, f"{name}_{month:02}.tif")
            tif.unlink()
    return path
