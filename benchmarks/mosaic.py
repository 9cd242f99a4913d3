"""A mosaic from relief to file, against the larger of its two parts: the network and the encoder.

`python -m benchmarks.mosaic [--json]`; once, and long: `--planet ELEVATION OUTPUT` draws all of a planet with one
layer, `--band WEIGHTS [ROWS]` measures windows over a whole band, `--killed WEIGHTS [DEGREES]` kills the drawing of
one and goes on, `--borders WEIGHTS [RELIEF]` measures all other borders, `--crater WEIGHTS RELIEF` those of windows of
a cap round Korolev, `--fading WEIGHTS` the power left in cross-fades, `--imagery PICTURE ...` the same of photographs,
`--compressions PICTURE` compares encodings, `--knobs WEIGHTS FOLDER` draws the pictures of the documentation.
"""

import sys
import tempfile
from pathlib import Path

from benchmarks.measure import cpu_seconds, interleaved, report  # before torch

# isort: split
import numpy as np
import rasterio
import torch
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.transform import Affine

from benchmarks import band, borders, crater, fading, killed, knobs, planet, seams
from benchmarks.generating import trained
from terraform.config import Condition, Mosaics, Train
from terraform.geo.bodies import MARS
from terraform.geo.geobox import GeoBox
from terraform.geo.tile_spec import TileSpec
from terraform.learn.models.generators import build_generator
from terraform.learn.runtime.malloc import keep_freed
from terraform.learn.weights import TrainedGenerator
from terraform.mosaic import inputs, windows
from terraform.mosaic.bands import Band, GlobalGrid, strips
from terraform.mosaic.checkpoint import open_checkpoint
from terraform.mosaic.inference import Predictor
from terraform.mosaic.output import cog
from terraform.mosaic.output_grid import GridWindow
from terraform.mosaic.pipeline import StripRenderer, render
from terraform.mosaic.windows import plan
from terraform.pairs.relief import channels_of

PLACE = (20.0, 8.0, 28.0, 16.0)
"""West, south, east, north of a relief of Mars, degrees."""
_HALO_DEG = 1.0


def whole(width: int, rounds: int) -> None:
    """CPU seconds of a mosaic and of its parts, and the network's passes over all of Mars."""
    train, condition = Train(width=width), Condition()
    channels = channels_of(condition) + train.noise
    torch.manual_seed(0)
    made = trained(build_generator(train, channels), train, condition)
    settings = Mosaics.model_validate({"precision": "fp32", "device": "cpu"})
    seen: list[torch.Size] = []
    watching = made.network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].shape))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        elevation = _rough(folder / "elevation.tif")
        output = folder / "mosaic.tif"
        _draw(made, settings, elevation, output)
        watching.remove()
        predictor, windows = Predictor(made, settings), [torch.rand(shape) for shape in seen]
        with rasterio.open(output) as dataset:
            picture = np.concatenate([dataset.read(), dataset.dataset_mask()[None]])
            frame = GeoBox(dataset.height, dataset.width, dataset.transform, dataset.crs)
        sides = {
            "all": lambda: _draw(made, settings, elevation, output),
            "network": lambda: _network(predictor, windows),
            "encoder": lambda: cog.write(folder / "again.tif", frame, _stripes(picture), settings.compression, {}),
        }
        seconds = interleaved(sides, rounds)
    larger = max(seconds["network"], seconds["encoder"])
    halo, ramp = passes(made.halo_px, made.stride, settings.window_px), blended_passes()
    report(
        f"mosaic, width {width}, the larger of network and encoder over all of it", larger / seconds["all"], 1 / 1.5,
        network_cpu_s=seconds["network"], encoder_cpu_s=seconds["encoder"], all_cpu_s=seconds["all"],
        halo_passes=halo, goal_halo_passes=1.6, ramp_passes=ramp, goal_ramp_passes=1.35,
    )  # fmt: skip


def _draw(made: TrainedGenerator, settings: Mosaics, elevation: Path, output: Path) -> None:
    """As a region is drawn: there is relief all round it."""
    west, south, east, north = PLACE
    with rasterio.open(elevation) as dataset, open_checkpoint(output, {}, False) as strips:
        relief = inputs.elevation_model(inputs.elevation_raster(dataset, MARS), MARS, settings)
        view = GridWindow.of(MARS, (west + _HALO_DEG, south + _HALO_DEG, east - _HALO_DEG, north - _HALO_DEG), None)
        render(StripRenderer(Predictor(made, settings), relief), view, output, settings, {}, strips)


def _network(predictor: Predictor, windows: list[torch.Tensor]) -> None:
    for window in windows:
        predictor.forward(window)


def passes(halo_px: int, stride: int, window_px: int) -> float:
    """Pixels that the network sees over pixels of all bands of Mars."""
    bands = [strip for strip in strips(GlobalGrid(MARS.radius_m), stride) if isinstance(strip, Band)]
    plans = [plan((band.first, band.last), (0, band.columns), window_px, halo_px, stride) for band in bands]
    return sum(map(windows.drawn_px, plans)) / sum((band.last - band.first) * band.columns for band in bands)


def blended_passes() -> float:
    """Windows on ramps over windows side by side, all bands of Mars."""
    side = TileSpec().tile_px
    step = side - windows.RAMP_PX
    bands = [strip for strip in strips(GlobalGrid(MARS.radius_m), step) if isinstance(strip, Band)]
    ours = sum(
        len(windows.ramped((band.first, band.last), band.first - windows.RAMP_PX, side))
        * len(windows.ramped((0, band.columns), 0, side))
        for band in bands
    )
    return ours / sum(-(-(band.last - band.first) // side) * -(-band.columns // side) for band in bands)


def compressions(picture: Path) -> None:
    """Size, CPU time and error of each compression, on a picture that is there."""
    with rasterio.open(picture) as dataset:
        planes = np.concatenate([dataset.read(), dataset.dataset_mask()[None]])
        frame = GeoBox(dataset.height, dataset.width, dataset.transform, dataset.crs)
    with tempfile.TemporaryDirectory() as name:
        for compression in ("zstd", "deflate", "jpeg", "webp"):
            path, before = Path(name) / f"{compression}.tif", cpu_seconds()
            cog.write(path, frame, _stripes(planes), compression, {})
            spent = cpu_seconds() - before
            with rasterio.open(path) as dataset:
                error = np.abs(dataset.read().astype(np.int16) - planes[:3]).mean()
            pixels = frame.height * frame.width
            print(f"{compression}: {path.stat().st_size * 8 / pixels:.2f} bits a pixel, "
                  f"{pixels / 1e6 / spent:.1f} Mpx a CPU second, mean error {error:.2f} levels")  # fmt: skip


def _stripes(planes: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    return [planes[:, top : top + 256] for top in range(0, planes.shape[1], 256)]


def _rough(path: Path) -> Path:
    """Relief of no meaning, 200 m pixels of Mars."""
    west, _, east, north = PLACE
    count = round((east - west) / GlobalGrid(MARS.radius_m).pixel_deg)
    step = (east - west) / count
    coarse = np.random.default_rng(0).uniform(0, 3000, (count // 8 + 1, count // 8 + 1))
    values = np.kron(coarse, np.ones((8, 8)))[:count, :count].astype(np.int16)
    with rasterio.open(
        path, "w", driver="GTiff", height=count, width=count, count=1, dtype="int16",
        crs=CRS.from_user_input(MARS.geographic_crs), transform=Affine(step, 0, west, 0, -step, north),
    ) as dataset:  # fmt: skip
        dataset.write(values, 1)
    return path


def main() -> None:
    """Run what the command line asks for."""
    keep_freed()
    match sys.argv[1:]:
        case ["--planet", elevation, output]:
            planet.main(Path(elevation), Path(output))
        case ["--band", path]:
            band.main(Path(path))
        case ["--band", path, rows]:
            band.main(Path(path), int(rows))
        case ["--killed", path]:
            killed.main(Path(path))
        case ["--killed", path, degrees]:
            killed.main(Path(path), float(degrees))
        case ["--borders", path]:
            borders.main(Path(path))
        case ["--borders", path, relief]:
            borders.main(Path(path), Path(relief))
        case ["--crater", path, relief]:
            crater.main(Path(path), Path(relief))
        case ["--fading", path]:
            fading.main(Path(path))
        case ["--imagery", *pictures]:
            seams.main(pictures)
        case ["--knobs", path, folder]:
            knobs.main(Path(path), Path(folder))
        case ["--compressions", picture]:
            compressions(Path(picture))
        case _:
            whole(24, 3)
            whole(64, 1)


if __name__ == "__main__":
    main()
