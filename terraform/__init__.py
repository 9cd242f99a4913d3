"""Learn how Earth looks from its relief, then draw Mars, or any body with an elevation model, as if it were alive."""

import importlib.util
import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from terraform.version import __version__

if TYPE_CHECKING:
    from terraform.mosaic.array import Generator

__all__ = ["__version__", "load_generator"]
"""The public Python interface: this, and the command line. All else may change between versions."""


def load_generator(path: str | Path, device: Literal["auto", "cpu", "cuda"] = "cpu") -> "Generator":
    """Load a trained generator, to be called with an array of heights.

    Parameters
    ----------
    path : str or Path
        Weights as `train` writes them, weights.safetensors.
    device : {"auto", "cpu", "cuda"}
        Where it draws.

    Returns
    -------
    Generator
        (H, W) metres -> (h, w, 4) uint8; see `terraform.mosaic.array.Generator`.

    Raises
    ------
    InputError
        The file is missing, damaged or none of ours.
    """
    from terraform.mosaic.array import Generator

    return Generator.load(Path(path), device)


def _forget_foreign_geodata() -> None:
    """Drop PROJ and GDAL data paths left over from another installation.

    A rasterio wheel carries its own data and breaks on those of another version ("proj.db contains
    DATABASE.LAYOUT.VERSION.MINOR = 2"). A rasterio of conda or of the system needs the variables, and keeps them:
    only a wheel has a folder `rasterio.libs` beside the package.
    """
    spec = importlib.util.find_spec("rasterio")
    if spec is None or spec.origin is None:
        return
    if Path(spec.origin).parent.with_name("rasterio.libs").is_dir():
        for name in ("PROJ_DATA", "PROJ_LIB", "GDAL_DATA"):
            os.environ.pop(name, None)


_forget_foreign_geodata()
