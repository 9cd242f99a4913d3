"""Every parser of files that may come from a stranger, with samples of what it should read."""

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import yaml
from PIL import Image
from safetensors.torch import save_file

from terraform import provenance
from terraform.config import Condition, Config, Sheet, Train, current, load, parse
from terraform.config.strict_yaml import plain, read_yaml
from terraform.errors import ConfigError
from terraform.geo.regions import load_regions
from terraform.learn import weights
from terraform.learn.models.generators import build_generator
from terraform.learn.runtime import checkpoint
from terraform.learn.runtime.checkpoint import Row, TrainState
from terraform.mosaic.array import read_heights
from terraform.pairs.relief import channels_of
from terraform.pairs.store import Stack
from terraform.provenance import Credit, Provenance
from terraform.sources.catalog.files import expanded
from terraform.sources.raster import pds3
from terraform.sources.raster.metadata.declared import NOTHING
from terraform.sources.raster.opening import open_raster
from terraform.sources.remote.wms import decode_jpeg, read_capabilities
from terraform.storage.hashing import sha256_of

_MADE = Provenance((Credit("sample", "CC0-1.0", "synthetic", True),), {"pairs": 1, "regions": ["a"]})


@dataclass(frozen=True)
class Parser:
    """A parser.

    Attributes
    ----------
    name : str
    file : str
        Name of the file that is damaged.
    samples : callable
        Makes contents that are read, given a folder in which files beside them may be made.
    read : callable
        Reads a file.
    """

    name: str
    file: str
    samples: Callable[[Path], list[bytes]]
    read: Callable[[Path], object]


def _json(document: object) -> bytes:
    return json.dumps(document).encode()


def _regions(folder: Path) -> list[bytes]:
    ring = [[8, 45], [9, 45], [9, 46], [8, 46], [8, 45]]
    shapes = [
        {"type": "Polygon", "coordinates": [ring]}, {"type": "MultiPolygon", "coordinates": [[ring]]},
    ]  # fmt: skip
    features = [
        {
            "type": "Feature",
            "properties": {"name": f"a{n}", "body": "earth", "role": "train", "title": "A"},
            "geometry": g,
        }
        for n, g in enumerate(shapes)
    ]
    return [_json({"type": "FeatureCollection", "features": features})]


def _config(folder: Path) -> list[bytes]:
    everything = Config().model_dump(mode="json")
    return [yaml.safe_dump(everything).encode(), _json(everything), b"run: mine\ntrain:\n  batch: 4\n  width: 8\n"]


def _overrides(path: Path) -> Config:
    """As `--config` values of Snakemake: texts in a tree."""
    try:
        tree = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        tree = {"run": path.read_bytes().decode("latin-1")}
    return parse(current(plain(tree if isinstance(tree, dict) else {"seed": tree}), "--config"))


def _weights(folder: Path) -> list[bytes]:
    condition, settings = Condition(channels=["elevation"]), Train(network="cnn", width=4, noise=0)
    path = folder / "good.safetensors"
    weights.save(path, build_generator(settings, channels_of(condition)), condition, Sheet(), settings, _MADE)
    return [path.read_bytes()]


_LABEL = """PDS_VERSION_ID = PDS3
^IMAGE = ("map.img", 1)
RECORD_BYTES = 16
LINES = 4
LINE_SAMPLES = 8
SAMPLE_TYPE = MSB_INTEGER
SAMPLE_BITS = 16
UNIT = METER
SCALING_FACTOR = 1.0
OFFSET = 0.0
MISSING_CONSTANT = -32768
MAP_PROJECTION_TYPE = "SIMPLE CYLINDRICAL"
CENTER_LATITUDE = 0
CENTER_LONGITUDE = 0
MAP_RESOLUTION = 4 <PIXEL/DEGREE>
SAMPLE_PROJECTION_OFFSET = 0
LINE_PROJECTION_OFFSET = 0
A_AXIS_RADIUS = 3396.19 <KM>
"""


def _label(folder: Path) -> list[bytes]:
    np.zeros((4, 8), ">i2").tofile(folder / "map.img")
    return [_LABEL.encode()]


def _capabilities(folder: Path) -> list[bytes]:
    return [
        b"""<?xml version="1.0" encoding="UTF-8"?><WMS_Capabilities version="1.3.0"><Service><Name>WMS</Name>
<AccessConstraints>none</AccessConstraints><MaxWidth>4096</MaxWidth></Service><Capability><Layer><Name>a</Name>
<Attribution><Title>us</Title></Attribution></Layer></Capability></WMS_Capabilities>"""
    ]


def _picture(folder: Path) -> list[bytes]:
    made = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)).save(made, "JPEG")
    return [made.getvalue()]


def _provenance(folder: Path) -> list[bytes]:
    return [provenance.to_json(_MADE).encode()]


def _array(folder: Path) -> list[bytes]:
    made = io.BytesIO()
    np.save(made, np.ones((3, 4, 4), np.int16))
    plane = io.BytesIO()
    np.save(plane, np.ones((8, 8), np.float32))
    return [made.getvalue(), plane.getvalue()]


def _read_arrays(path: Path) -> None:
    read_heights(path, None, 1.0)


def _read_stack(path: Path) -> None:
    stored = Stack(path, (4, 4), np.dtype(np.int16))
    for index in range(min(len(stored), 3)):
        _ = stored[index]


def _state(folder: Path) -> list[bytes]:
    save_file({"a": torch.zeros(4)}, folder / "images-000000004.safetensors")
    row = Row(4, 1.0, 0.1, 1.0, 1e-4, 0.1, 0.2, 0.3, 0.4, 0, 1.0, 2.0, by_region={"train": {"a": 1.0}})
    state = TrainState(4, 2, 1.0, 0.1, [row], 2.0, 0)
    digest = sha256_of(folder / "images-000000004.safetensors")
    return [_json({"format": checkpoint.FORMAT, "sha256": digest, **asdict(state)})]


def _archive(folder: Path) -> list[bytes]:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("N10E020.hgt", bytes(1201 * 1201 * 2))
    return [made.getvalue()]


def _open(path: Path) -> None:
    with open_raster(path, NOTHING) as raster:
        raster.read((0, 2), (0, 2))


def _placeholders(path: Path) -> None:
    try:
        text = path.read_text(encoding="utf-8")
    except ValueError:
        raise ConfigError("no text") from None
    expanded(text, None)


PARSERS = {
    parser.name: parser
    for parser in (
        Parser("regions", "regions.geojson", _regions, load_regions),
        Parser("config", "config.yaml", _config, load),
        Parser("yaml", "config.yaml", _config, read_yaml),
        Parser(
            "overrides",
            "values.json",
            lambda folder: [_json({"run": "mine", "seed": "7", "train": {"batch": "4"}})],
            _overrides,
        ),
        Parser("weights", "w.safetensors", _weights, weights.load),
        Parser("label", "map.lbl", _label, pds3.read),
        Parser("capabilities", "a.xml", _capabilities, lambda path: read_capabilities(path.read_bytes(), "a")),
        Parser("picture", "a.jpg", _picture, lambda path: decode_jpeg(path.read_bytes(), (64, 64))),
        Parser("provenance", "a.json", _provenance, lambda path: provenance.read(path).tags()),
        Parser("pairs", "a.npy", _array, _read_stack),
        Parser("heights", "e.npy", _array, _read_arrays),
        Parser("state", "images-000000004.json", _state, lambda path: checkpoint.latest(path.parent)),
        Parser("archive", "N10E020.hgt.zip", _archive, _open),
        Parser("path", "path.txt", lambda folder: [b"{rasters}/{region}.tif", b"a/{region}/b"], _placeholders),
    )
}
