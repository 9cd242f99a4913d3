"""The machine: versions, GDAL and PROJ with their data, disk, memory, graphics card."""

import ctypes
import math
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from terraform.config import Config
from terraform.doctor import Finding
from terraform.geo.bodies import EARTH, MARS

_DISTRIBUTION = "terraform-planets"
_INSTALL = "run `make setup`, or `pip install -c requirements.lock -e .`"
_GB = 1e9
_SHARED = Path("/dev/shm")  # noqa: S108  (looked at, not written)
_DRIVERS = tuple(map(Path, ("/proc/driver/nvidia/version", "/dev/nvidiactl", "/dev/kfd", "/dev/dxg")))
"""Of NVIDIA, of AMD, of Windows beneath Linux: where none is, PyTorch finds no card."""
_NO_CARD = "none: training runs on the CPU, with the small network of config.yaml"
_MARS_CRS = {
    "IAU_2015:49900": "longitude and latitude", "IAU_2015:49910": "the map of mosaics",
    "IAU_2015:49930": "the north polar cap", "IAU_2015:49935": "the south polar cap",
}  # fmt: skip


def versions() -> Iterator[Finding]:
    """Python and every package that the project asks for, against its bounds."""
    from packaging.requirements import Requirement

    python = ".".join(map(str, sys.version_info[:3]))
    asked = metadata.metadata(_DISTRIBUTION)["Requires-Python"]
    good = Requirement(f"python{asked}").specifier.contains(python)
    yield Finding("python", "ok" if good else "failure", f"{python}, asked for is {asked}", "" if good else _INSTALL)
    for requirement in map(Requirement, metadata.requires(_DISTRIBUTION) or []):
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield _version(requirement.name, requirement.specifier)


def _version(name: str, bounds: object) -> Finding:
    try:
        here = metadata.version(name)
    except metadata.PackageNotFoundError:
        return Finding(name, "failure", f"not installed, asked for is {bounds}", _INSTALL)
    if here in bounds:  # type: ignore[operator]
        return Finding(name, "ok", here)
    return Finding(name, "failure", f"{here}, asked for is {bounds}", _INSTALL)


def gdal() -> Iterator[Finding]:
    """GDAL, the formats that are written and read, and its data."""
    import rasterio
    from rasterio.env import Env

    with Env() as env:
        absent = sorted({"GTiff", "COG", "JPEG", "PNG"} - set(env.drivers()))
    says = f"GDAL {rasterio.__gdal_version__} in rasterio {rasterio.__version__}"
    if absent:
        yield Finding("gdal", "failure", f"{says}; without {', '.join(absent)}", "install rasterio from its wheel")
    else:
        yield Finding("gdal", "ok", says)


def proj() -> Iterator[Finding]:
    """PROJ and its data, in rasterio and in pyproj, which carry one each; and the CRS of both planets."""
    import pyproj
    import rasterio
    from rasterio.crs import CRS

    remedy = (
        "unset PROJ_DATA and PROJ_LIB, which lead to the data of another installation, or install rasterio and pyproj "
        "anew"
    )
    yield Finding("proj", "ok", f"PROJ {rasterio.__proj_version__} in rasterio, {pyproj.proj_version_str} in pyproj")
    for code, what in {EARTH.geographic_crs: "Earth", EARTH.map_crs: "maps of Earth", **_MARS_CRS}.items():
        try:
            CRS.from_user_input(code)
            pyproj.CRS.from_user_input(code)
        except Exception as error:
            yield Finding(f"crs {code}", "failure", f"{what}: not known ({type(error).__name__})", remedy)
    yield _mars(remedy)
    if os.environ.get("PROJ_IGNORE_CELESTIAL_BODY", "").upper() in ("YES", "ON", "TRUE", "1"):
        yield Finding(
            "planets apart", "failure", "PROJ_IGNORE_CELESTIAL_BODY is set: Mars could be taken for Earth", "unset it"
        )


def _mars(remedy: str) -> Finding:
    """Check that a quarter of the way round Mars is where the sphere says."""
    from pyproj import Transformer

    x, y = Transformer.from_crs(MARS.geographic_crs, MARS.map_crs, always_xy=True).transform(90.0, 45.0)
    off_m = max(abs(x - math.pi / 2 * MARS.radius_m), abs(y - math.pi / 4 * MARS.radius_m))
    if off_m < 0.01:
        return Finding("mars", "ok", f"{MARS.geographic_crs} to {MARS.map_crs} on a sphere of {MARS.radius_m:.0f} m")
    return Finding("mars", "failure", f"{MARS.map_crs} is {off_m:.2f} m off its sphere", remedy)


def disk(config: Config) -> Iterator[Finding]:
    """Room and permission where results, downloads and temporary files go."""
    places = {"results": Path("results"), "downloads": Path(config.downloads.cache), "temporary files": _temporary()}
    for name, path in places.items():
        place = next(parent for parent in (path, *path.absolute().parents) if parent.exists())
        free = shutil.disk_usage(place).free / _GB
        if not os.access(place, os.W_OK):
            yield Finding(f"disk for {name}", "failure", "its folder cannot be written", "make it writable")
        elif free < 1:
            yield Finding(f"disk for {name}", "failure", f"{free:.1f} GB free", "free at least 10 GB")
        elif free < 10:
            yield Finding(f"disk for {name}", "warning", f"{free:.1f} GB free", "large regions need more: free 10 GB")
        else:
            yield Finding(f"disk for {name}", "ok", f"{free:.0f} GB free")


def _temporary() -> Path:
    return Path(tempfile.gettempdir())


def memory() -> Iterator[Finding]:
    """Check main memory, within the limits of a container."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = Path("/sys/fs/cgroup/memory.max")
    text = limit.read_text().strip() if limit.exists() else ""
    total = min(total, int(text)) if text.isdigit() else total
    says = f"{total / _GB:.1f} GB"
    if total >= 4 * _GB:
        yield Finding("memory", "ok", says)
    else:
        yield Finding("memory", "warning", says, "use batch: 1, and regions of a few degrees")


def shared_memory() -> Iterator[Finding]:
    """Check the memory that the processes of a training share."""
    if not _SHARED.exists():
        yield Finding(str(_SHARED), "ok", "there is none on this system")
        return
    size = shutil.disk_usage(_SHARED)
    says = f"{size.free / _GB:.2f} of {size.total / _GB:.2f} GB free"
    if size.free >= 0.5 * _GB:
        yield Finding(str(_SHARED), "ok", says)
    else:
        yield Finding(str(_SHARED), "warning", says, "start the container with --shm-size=2g")


def graphics(config: Config) -> Iterator[Finding]:
    """Check for a graphics card, and that PyTorch can be loaded."""
    wanted = "cuda" in (config.train.device, config.mosaics.device)
    if not wanted and not any(path.exists() for path in _DRIVERS) and _torch_loads():
        yield Finding("gpu", "ok", _NO_CARD)
        return
    import torch

    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            free, total = torch.cuda.mem_get_info(index)
            name = torch.cuda.get_device_name(index)
            yield Finding("gpu", "ok", f"{name}, {free / _GB:.1f} of {total / _GB:.1f} GB free")
    elif wanted:
        yield Finding(
            "gpu", "failure", "the configuration says device: cuda, PyTorch finds none",
            "say device: auto, or install a driver and a CUDA build of torch that match",
        )  # fmt: skip
    elif Path("/proc/driver/nvidia/version").exists():
        yield Finding(
            "gpu", "warning", "there is a driver, PyTorch cannot use it", "install the build of torch for its version"
        )
    else:
        yield Finding("gpu", "ok", _NO_CARD)


def _torch_loads() -> bool:
    """Whether PyTorch's libraries, and all that they need, can be loaded: a quarter of the time of importing it.

    Where not, only importing it tells: it looks for some of them itself.
    """
    found = find_spec("torch")
    if found is None or found.origin is None or not Path(found.origin).is_file():
        return False
    try:
        ctypes.CDLL(str(Path(found.origin).parent / "lib/libtorch_python.so"))
    except OSError:
        return False
    return True
