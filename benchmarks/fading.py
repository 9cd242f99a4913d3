"""How much of either strip's fine power a cross-fade leaves, on the same ground: two bands drawn over their border."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from benchmarks.seams import Score, embedded, fine_power_of, say, settings
from terraform.geo import raster
from terraform.geo.bodies import MARS
from terraform.learn import weights
from terraform.learn.weights import TrainedGenerator
from terraform.mosaic import blend as fade
from terraform.mosaic import inputs
from terraform.mosaic.bands import Band, GlobalGrid, strips
from terraform.mosaic.blend import Layer
from terraform.mosaic.checkpoint import StripBuffer
from terraform.mosaic.compose import StripImage
from terraform.mosaic.inference import Predictor, draw
from terraform.mosaic.terrain import BandTerrain, ElevationModel

_BORDERS = ((4, 12.0), (6, -60.0), (9, 100.0))
_WIDTH_DEG = 5.0


def main(path: Path) -> None:
    """Print the scores of some borders of bands."""
    trained = weights.load(path)
    with TemporaryDirectory() as name:
        for number, west in _BORDERS:
            say(_border(trained, number, west, Path(name)))


def _border(trained: TrainedGenerator, number: int, west: float, folder: Path) -> Iterator[Score]:
    globe = GlobalGrid(MARS.radius_m)
    above, below = strips(globe, trained.stride)[number : number + 2]
    assert isinstance(above, Band) and isinstance(below, Band)
    rows, latitude = (below.first, above.last), 90 - globe.pixel_deg * above.bottom
    _, elevation = embedded(f"fade{number}", (west, latitude - 1, west + _WIDTH_DEG, latitude + 1), folder)
    columns = globe.longitudes.covering(west + 0.5, west + _WIDTH_DEG - 0.5)
    with raster.opened(elevation) as dataset:
        relief = inputs.elevation_model(inputs.elevation_raster(dataset, MARS), MARS, settings(1280))
        layers = [_layer(trained, relief, band, rows, columns, folder) for band in (above, below)]
    shares = [torch.from_numpy(band.weights(np.arange(*rows)).astype(np.float32))[:, None] for band in (above, below)]
    mixed = fine_power_of(fade.blend(layers, shares).colours.numpy())
    average = torch.stack([layer.colours * share for layer, share in zip(layers, shares, strict=True)]).sum(0)
    plain = fine_power_of(average.numpy())
    for side, layer in zip(("upper", "lower"), layers, strict=True):
        own = fine_power_of(layer.colours.numpy())
        yield Score(f"border at {latitude:.1f} N: fine power over the {side} band's own", mixed / own)
        yield Score(f"border at {latitude:.1f} N: the same of a plain average", plain / own)


def _layer(
    trained: TrainedGenerator,
    relief: ElevationModel,
    band: Band,
    rows: tuple[int, int],
    columns: tuple[int, int],
    folder: Path,
) -> Layer:
    """Take a band's part in rows and columns of the planet-wide grid."""
    target = band.globe.longitudes.part(*columns)
    across = band.longitudes.covering(target.origin, target.end, 4)
    canvas = StripBuffer(rows, across, folder / f"{band.top}-{rows[0]}.bytes")
    canvas.create()
    for block in draw(Predictor(trained, settings(1280)), BandTerrain(relief, band), rows, across):
        canvas.write(block)
    return StripImage(band, canvas).read_window(rows, columns)
