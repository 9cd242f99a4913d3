"""What was learnt from: the regions on their map, and their pairs."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from terraform import provenance
from terraform.geo.regions import Region
from terraform.geo.tile_spec import TileSpec
from terraform.pairs.store import open_pairs
from terraform.planet.pictures import FOOTER_PX
from terraform.report.files import RunFiles
from terraform.report.parts import Cell, Figure, Number, Table
from terraform.report.pictures import Album
from terraform.report.region_map import region_map

_MOST_SHEETS = 8
_ROLES = {"train": "trained on", "validation": "validation: chooses the weights", "test": "test: judged once",
          "mosaic": "drawn"}  # fmt: skip


def learnt(run: RunFiles, album: Album) -> dict[str, Any]:
    """Describe the regions and their pairs.

    Raises
    ------
    InputError
        A file is damaged.
    """
    names = list(dict.fromkeys((*run.paired, *run.mosaics)))
    numbers = {name: count for count, name in enumerate(names, 1)}
    regions = [run.regions[name] for name in names]
    sheets = [name for name in run.paired if (run.pairs(name) / "sheet.jpg").is_file()]
    spec = TileSpec.of(run.config.tile)
    return {
        "maps": [_map(run, album, body, regions, numbers) for body in dict.fromkeys(r.body.name for r in regions)],
        "roles": [(role, said) for role, said in _ROLES.items() if any(r.role == role for r in regions)],
        "table": Table(
            ("", "region", "body", "role", "pairs", "sea", "without data", "latitude, degrees"),
            [_row(run, region, numbers[region.name]) for region in regions],
        ),
        "tile": [
            Number(spec.tile_px * spec.pixel_m / 1000, unit="km"), Number(spec.tile_px, unit="px"),
            Number(spec.pixel_m, unit="m"),
        ],
        "pairs": sum(_pairs(run, name) or 0 for name in run.paired),
        "sheets": [_sheet(run, album, name) for name in sheets[:_MOST_SHEETS]],
        "left_out": max(0, len(sheets) - _MOST_SHEETS),
        "missing": _missing(run, sheets),
    }  # fmt: skip


def _map(run: RunFiles, album: Album, body: str, regions: Iterable[Region], numbers: dict[str, int]) -> Figure:
    own = [region for region in regions if region.body.name == body]
    picture = album.url(run.planet / body / "preview.jpg", 1080, FOOTER_PX)
    ground = "over the base colours of the run" if picture else "the run made no base colours to lie under them"
    return Figure(f"{body.capitalize()} in plate carree, {ground}.", chart=region_map(own, numbers, picture))


def _row(run: RunFiles, region: Region, number: int) -> list[Cell]:
    title = region.title if region.title == region.name else f"{region.title} ({region.name})"
    row: list[Cell] = [str(number), title, region.body.name, region.role]
    tiles = _tiles(run, region.name)
    if tiles is None or not len(tiles):
        south, north = region.bounds[1], region.bounds[3]
        return [*row, None, None, None, f"{south:.1f} to {north:.1f}"]
    south, north = float(tiles["south"].min()), float(tiles["north"].max())
    shares = [Number(float(np.mean(tiles[part], dtype=np.float64)) * 100, unit="%") for part in ("sea", "void")]
    return [*row, Number(len(tiles)), *shares, f"{south:.1f} to {north:.1f}"]


def _tiles(run: RunFiles, name: str) -> Any:
    made = name in run.paired and (run.pairs(name) / "provenance.json").is_file()
    return open_pairs(run.pairs(name)).tiles if made else None


def _pairs(run: RunFiles, name: str) -> int | None:
    tiles = _tiles(run, name)
    return None if tiles is None else len(tiles)


def _sheet(run: RunFiles, album: Album, name: str) -> Figure:
    region = run.regions[name]
    made = run.pairs(name) / "provenance.json"
    licence = f" {provenance.read(made).licence}." if made.is_file() else ""
    caption = f"{region.title}: pairs of elevation (left) and imagery (right), spread over the region.{licence}"
    return Figure(caption, picture=album.url(run.pairs(name) / "sheet.jpg", 620))


def _missing(run: RunFiles, sheets: list[str]) -> list[str]:
    cut = [name for name in run.paired if (run.pairs(name) / "provenance.json").is_file()]
    said = [f"No pairs yet of {', '.join(sorted(set(run.paired) - set(cut)))}: snakemake --cores 8 pairs"]
    return (said if len(cut) < len(run.paired) else []) + (["No sheets were drawn."] if cut and not sheets else [])
