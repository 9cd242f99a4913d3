"""Where a picture lies."""

from dataclasses import dataclass

from rasterio.crs import CRS
from rasterio.transform import Affine


@dataclass(frozen=True)
class GeoBox:
    """Where a picture lies.

    Attributes
    ----------
    height, width : int
    transform : Affine
        From pixel (column, row) to the CRS.
    crs : rasterio CRS or None
    """

    height: int
    width: int
    transform: Affine
    crs: CRS | None

    def zoom_out(self) -> "GeoBox":
        """Cover the same place with pixels of twice the side; an odd last row or column is half outside."""
        return GeoBox(-(-self.height // 2), -(-self.width // 2), self.transform @ Affine.scale(2), self.crs)
