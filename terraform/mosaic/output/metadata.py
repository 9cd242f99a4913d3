"""What a mosaic says of itself: whose work it is, and whether its relief is as fine as what was learnt from."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from terraform import provenance
from terraform.geo.tile_spec import DEFAULT_TILE
from terraform.learn.weights import TrainedGenerator
from terraform.provenance import Credit, Provenance

_SPARE = 1.05
"""Pixels that have their size on one parallel are a little larger on another."""


@dataclass(frozen=True)
class MosaicMetadata:
    """What a mosaic says of itself.

    Attributes
    ----------
    made : Provenance
        Of the weights and the relief together.
    relief_m : float
        Height of a pixel of the relief, metres.
    learnt_m : float
        The resolution to which relief was limited when the generator learnt, metres; 0 where it was not.
    pixel_m : float
        Side of a pixel of what the generator learnt from, metres.
    """

    made: Provenance
    relief_m: float
    learnt_m: float
    pixel_m: float = DEFAULT_TILE.pixel_m

    @property
    def is_coarse(self) -> bool:
        """The relief is coarser than what the generator has ever seen."""
        return self.relief_m > _SPARE * max(self.learnt_m, self.pixel_m)

    def tags(self) -> dict[str, str]:
        """Make texts for the file's metadata."""
        resolution = {"RELIEF_PIXEL_M": f"{self.relief_m:.6g}", "LEARNT_RESOLUTION_M": f"{self.learnt_m:.6g}"}
        return {**self.made.tags(), **resolution, "COARSE_RELIEF": str(self.is_coarse).lower()}

    def properties(self) -> dict[str, str | bool | float]:
        """Make the same for a STAC item."""
        return {
            "license": self.made.licence,
            "attribution": self.made.attribution,
            "created": self.made.created,
            "terraform:synthetic_relief": self.made.synthetic,
            "terraform:relief_pixel_m": round(self.relief_m, 3),
            "terraform:learnt_resolution_m": self.learnt_m,
            "terraform:coarse_relief": self.is_coarse,
        }

    def caption(self, title: str) -> str:
        """Write the line under a preview."""
        synthetic, coarse = "synthetic relief, " * self.made.synthetic, "coarse relief, " * self.is_coarse
        return f"{title}: plausible, not predicted · {synthetic}{coarse}{self.made.licence}"

    def warn(self, name: str) -> None:
        """Say once where the picture will be softer than what was learnt."""
        if self.is_coarse:
            print(
                f"warning: {name} has pixels of {self.relief_m:,.0f} m, and the generator learnt from relief of "
                f"{max(self.learnt_m, self.pixel_m):,.0f} m: hills and valleys will look smoother than on Earth; finer "
                "relief looks better",
                file=sys.stderr,
                flush=True,
            )


def describe(
    trained: TrainedGenerator, elevation: Path, relief_m: float, planet: Sequence[Provenance] = ()
) -> MosaicMetadata:
    """Describe what a generator draws from a relief, as far as the relief says whose it is; warn where needed.

    `planet` is the provenance of base colours and climate, where the generator needs them.
    """
    beside = provenance.beside(elevation)
    if beside.is_file():
        relief = provenance.read(beside)
    else:
        relief = Provenance((Credit("files", "LicenseRef-Unknown", f"elevation from {elevation.name}"),))
    made = provenance.merge([trained.provenance, relief, *planet])
    label = MosaicMetadata(made, relief_m, trained.condition.resolution_m, trained.spec.pixel_m)
    label.warn(elevation.name)
    return label
