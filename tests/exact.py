"""Worlds with an exact answer: networks that repeat a channel, hills that are a known function of place."""

from dataclasses import dataclass, field

import numpy as np
import rasterio
import torch
from rasterio.crs import CRS
from rasterio.transform import Affine
from torch import nn

from terraform import provenance
from terraform.config import Condition, Elevation, Mosaics, Sheet, Train
from terraform.geo.bodies import MARS
from terraform.geo.grid import download_grid
from terraform.geo.raster import write_strips
from terraform.geo.regions import Region
from terraform.learn.weights import TrainedGenerator
from terraform.mosaic.inference import Predictor, draw
from terraform.mosaic.terrain import TerrainWindow
from terraform.provenance import Credit, Provenance

MADE = Provenance((Credit("sample", "CC0-1.0", "a test", True),))
PLAIN = Condition(channels=["elevation"], resolution_m=0)
CLIP = Mosaics(window_px=256, elevation=Elevation(policy="clip"), device="cpu")
SMALL_M = 40_000.0
SMALL = f"+proj=longlat +R={SMALL_M} +no_defs"


class Same(nn.Module):
    """Every colour is the first channel of the condition."""

    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(1))

    def forward(self, x):
        return x[:, :1].expand(-1, 3, -1, -1) * self.gain


class Base(nn.Module):
    """Every colour is that of the base, the last three channels of the condition."""

    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(1))

    def forward(self, x):
        return x[:, -3:] * self.gain


def trained(network, condition=PLAIN, stride=1, halo_px=0, tile_safe=True, **train):
    train = Train(**{"noise": 0, **train})
    return TrainedGenerator(network.eval(), condition, Sheet(), train, MADE, stride, halo_px, tile_safe)


def adding():
    """Give a generator whose picture is its base."""
    return trained(Base(), PLAIN, stride=4, halo_px=4, base="added")


def levels_of(context):
    """Base colours of land and of sea as levels, (6, h, w)."""
    return (np.concatenate([part[0].numpy() for part in (context.land, context.sea)]) + 1) * 127.5


def no_tints(count):
    """What `StoredPairs` holds where no tints are known."""
    return torch.zeros(count, 0, 0, 0, 0, dtype=torch.uint8), torch.zeros(count, 0)


def centres(dataset, radius_m):
    """Longitudes and latitudes of the pixels of an equirectangular mosaic."""
    per_degree = np.radians(radius_m)
    t = dataset.transform
    x = t.c + t.a * (np.arange(dataset.width) + 0.5)
    y = t.f + t.e * (np.arange(dataset.height) + 0.5)
    return (x / per_degree)[None, :], (y / per_degree)[:, None]


@dataclass
class Hills:
    """Terrain as a function of the pixel: rough, with a sea and a void."""

    pixel_m: float = 200.0
    asked: list = field(default_factory=list)
    top: int = 0

    def is_visible(self, rows, columns):
        return True

    def patch(self, rows, columns):
        self.asked.append((rows, columns))
        y, x = np.arange(*rows)[:, None], np.arange(*columns)[None]
        metres = 900 + 700 * np.sin(x / 9) * np.cos(y / 7) + 400 * np.sin(x * y / 300)
        void = (x - 300) ** 2 + (y - 60) ** 2 < 400
        latitude = (40 - 0.003 * y).astype(np.float32)
        east = np.ones((1, 1), np.float32), np.zeros((1, 1), np.float32)
        places = np.arange(*rows), np.arange(*columns)
        return TerrainWindow(metres.astype(np.float32), metres < 0, void, latitude, east, *places)


def picture(made, terrain, rows, columns, window_px, settings=None):
    result = np.zeros((rows[1] - rows[0], columns[1] - columns[0], 4), np.uint8)
    count = np.zeros(result.shape[:2], int)
    for block in draw(Predictor(made, settings or Mosaics(window_px=window_px)), terrain, rows, columns):
        top, left = max(rows[0], block.top), max(columns[0], block.left)
        part = block.rgba[top - block.top : rows[1] - block.top, left - block.left : columns[1] - block.left]
        result[top - rows[0] : top - rows[0] + part.shape[0], left - columns[0] :][:, : part.shape[1]] = part
        count[top - rows[0] : top - rows[0] + part.shape[0], left - columns[0] :][:, : part.shape[1]] += 1
    assert (count == 1).all()
    return result


def hills(lon, lat):
    """Smooth on the sphere, poles and antimeridian included; 500 to 3500 m."""
    lon, lat = np.radians(lon), np.radians(lat)
    x, y, z = np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)
    return 2000 + 700 * np.sin(9 * x + 1) + 500 * np.cos(11 * y) + 300 * np.sin(13 * z)


def level(metres):
    """What the network draws of a height: the elevation channel, 0..255."""
    return (np.sqrt(np.asarray(metres) / 9000) + 1) * 127.5


def colours(lon, lat):
    """Base colours of land and of sea, smooth on the sphere, poles and antimeridian included; (..., 6), 0..255."""
    lon, lat = np.radians(lon), np.radians(lat)
    x, y, z = np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat) + 0 * lon
    land = [120 + 100 * np.sin(2 * x + 1), 100 + 90 * np.cos(3 * y), 130 + 80 * np.sin(2 * z)]
    sea = [40 + 30 * np.sin(2 * x), 60 + 40 * np.cos(2 * z), 140 + 60 * np.sin(3 * y)]
    return np.stack(land + sea, -1)


def base_raster(path, crs=SMALL, cells=2, levels=colours):
    """Base colours of a whole body, `cells` a degree."""
    lon, lat = (np.arange(360 * cells) + 0.5) / cells - 180, 90 - (np.arange(180 * cells) + 0.5) / cells
    values = np.rint(levels(lon[None], lat[:, None])).astype(np.uint8)
    profile = {"driver": "GTiff", "height": len(values), "width": values.shape[1], "count": values.shape[2]}
    transform = Affine(1 / cells, 0, -180, 0, -1 / cells, 90)
    with rasterio.open(path, "w", **profile, dtype="uint8", transform=transform, crs=crs) as dataset:
        dataset.write(np.moveaxis(values, -1, 0))
    return path


def write_raster(path, values, transform, crs, nodata=None):
    profile = {"driver": "GTiff", "height": values.shape[0], "width": values.shape[1], "count": 1, "nodata": nodata}
    with rasterio.open(path, "w", **profile, dtype=values.dtype, transform=transform, crs=crs) as dataset:
        dataset.write(values, 1)
    return path


def ripples(lon, lat):
    """Heights that the planet's own cells of a quarter of a degree cannot hold."""
    return 5000 + 1000 * np.sin(20 * lon) * np.cos(17 * lat)


def small_planet(path, step=0.2, west=-180.0, heights=hills, crs=SMALL):
    columns, rows = round(360 / step), round(180 / step)
    lon = west + step * (np.arange(columns) + 0.5)
    lat = 90 - step * (np.arange(rows) + 0.5)
    values = heights(lon[None, :], lat[:, None]).astype(np.float32)
    return write_raster(path, values, Affine(step, 0, west, 0, -step, 90), CRS.from_user_input(crs))


def download(path, region, heights=hills):
    grid = download_grid(region)
    lon, lat = grid.longitudes.centres()[None, :], grid.latitudes.centres()[:, None]
    write_strips(path, grid, [np.rint(heights(lon, lat)).astype(np.int16)], 1, "int16", {})
    made = Provenance((Credit("files", "CC-BY-4.0", "a survey"),))
    provenance.write(made, provenance.beside(path))
    return path


def region_of(geometry, name="somewhere"):
    return Region(name, MARS, "mosaic", "Somewhere", geometry)


def read(path):
    with rasterio.open(path) as dataset:
        return np.moveaxis(dataset.read(), 0, -1).astype(float), dataset.dataset_mask() > 0
