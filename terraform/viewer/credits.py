"""What the page says of the sources of a picture."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from terraform import provenance
from terraform.geo import raster
from terraform.provenance import Provenance


def credits_of(parts: Iterable[Provenance]) -> dict[str, Any]:
    """Collect what the page says of sources: attribution, licence, whether a source is invented."""
    known = list(parts) or [Provenance((provenance.Credit("files", "LicenseRef-Unknown", "unknown source"),))]
    merged = provenance.merge(known)
    return {"attribution": merged.attribution, "licence": merged.licence, "invented": merged.synthetic}


def made_by(mosaic: Path) -> Provenance | None:
    """Read the credits of a mosaic from its tags."""
    with raster.opened(mosaic) as dataset:
        tags = dataset.tags()
    if "ATTRIBUTION" not in tags:
        return None
    credit = provenance.Credit(
        "mosaic", tags.get("LICENCE", "LicenseRef-Unknown"), tags["ATTRIBUTION"], tags.get("SYNTHETIC_INPUT") == "true"
    )
    return Provenance((credit,))
