"""Learn how Earth looks from its relief, then draw Mars, or any body with an elevation model, as if it were alive."""

import importlib.util
import os
from pathlib import Path

__version__ = "0.1.0"


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
