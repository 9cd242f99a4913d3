"""The report: one page that opens from disk, asks nobody for anything and runs no script."""

import base64
import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from terraform.errors import ResourceError
from terraform.report import drawn, judged, origins
from terraform.report.files import RunFiles, private
from terraform.report.learnt import learnt
from terraform.report.parts import quantity
from terraform.report.pictures import Album
from terraform.report.training import training
from terraform.storage.atomic_write import write_text
from terraform.version import __version__

MOST_BYTES = 10_000_000
PAGE = Path(__file__).parent / "page"
_SCALES = (1.0, 0.75, 0.55, 0.4, 0.25)


def write_report(run: RunFiles, output: Path) -> None:
    """Make the report of a run; parts that were not made are left out, with a line that says so.

    Parameters
    ----------
    run : RunFiles
    output : Path
        An .html file.

    Raises
    ------
    InputError
        A file of the run is damaged.
    ResourceError
        The page cannot be made small enough, or the disk is full.
    """
    for scale in _SCALES:
        page = _rendered(run, Album(scale))
        if len(page.encode()) < MOST_BYTES:
            write_text(output, page)
            return
    raise ResourceError(f"{output} would have more than {MOST_BYTES:,} bytes: leave regions out with regions.exclude")


def _rendered(run: RunFiles, album: Album) -> str:
    style = (PAGE / "style.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    environment = Environment(
        loader=FileSystemLoader(PAGE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["quantity"] = quantity
    told = _told(run, album)
    return environment.get_template("report.html").render(style=style, style_digest=digest, **told)


def _told(run: RunFiles, album: Album) -> dict[str, Any]:
    return {
        "run": run.config.run,
        "made": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "version": __version__,
        "hero": drawn.hero(run, album),
        "headline": judged.headline(run),
        "learnt": learnt(run, album),
        "training": training(run, album),
        "judged": judged.judged(run, album),
        "planets": drawn.planets(run, album),
        "drawn": drawn.mosaics(run, album),
        "timings": origins.timings(run),
        "settings": origins.settings(run),
        "versions": origins.versions(),
        "origins": origins.origins(run),
        "command": private(run.command, run.folder),
    }
