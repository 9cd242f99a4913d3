"""Make the viewer: tiles of every layer, the data of the page, the page itself."""

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from terraform.errors import InputError
from terraform.geo import raster
from terraform.geo.bodies import Body
from terraform.geo.regions import Region
from terraform.storage.atomic_write import atomic_write
from terraform.viewer import comparison
from terraform.viewer.credits import credits_of, made_by
from terraform.viewer.data import packed_heights, picture_url, write_script
from terraform.viewer.gazetteer import features
from terraform.viewer.mosaic_file import MOSAICS, place_mosaics
from terraform.viewer.pictures import ArrayPicture, Picture, RasterPicture, lay_over, mosaic_picture
from terraform.viewer.planet_layers import (
    Ground,
    PlanetLayer,
    climate_layers,
    drawn_layers,
    observed_layer,
    read_ground,
    relief_layers,
)
from terraform.viewer.relief import ReliefDrawing, region_heights
from terraform.viewer.tiles import write_pyramid

PAGE = Path(__file__).parent / "page"
VENDOR = Path(__file__).parent / "vendor"
_GLOBE_PX, _HEIGHTS_CELLS = 4096, 4
_FINE_CELLS = 768
"""Cells of a region's heights along its longer side, at most: half a megabyte, loaded when a pointer comes there."""
_SHOWN = (".html", ".css", ".js", ".svg", ".txt", ".md")


@dataclass(frozen=True)
class ViewerInputs:
    """What a viewer is made from.

    Attributes
    ----------
    body : Body
        The planet of the map and of the globe.
    base : str or None
        Its base colours; see `terraform.mosaic.base.choice.named_base`.
    elevation : Path
        Its heights.
    climate : Path or None
    shoreline_m : float
    mosaics : mapping of str to Path
        Mosaics by region, of any body; those of Earth are compared with its imagery.
    downloads : mapping of str to Path
        Folders of elevation.tif and imagery.tif by region.
    regions : mapping of str to Region
        Their titles and places, as far as they are known.
    observed : Path or None
        A picture of the planet as it is.
    from_cog : bool
        The page reads mosaics of the planet from their own files, which needs a server that answers byte ranges; no
        tiles of them are written.
    """

    body: Body
    base: str | None
    elevation: Path
    climate: Path | None
    shoreline_m: float
    mosaics: Mapping[str, Path]
    downloads: Mapping[str, Path]
    regions: Mapping[str, Region]
    observed: Path | None = None
    from_cog: bool = False


def export_viewer(inputs: ViewerInputs, output: Path) -> None:
    """Make or resume a viewer in a folder; `index.html` is written last.

    Parameters
    ----------
    inputs : ViewerInputs
    output : Path
        A folder of its own. Tiles that are there already and of the same pictures are kept.

    Raises
    ------
    InputError
        A raster is missing, damaged or does not fit.
    ResourceError
        The disk is full.
    """
    own = {name: path for name, path in inputs.mosaics.items() if _body(path) == inputs.body}
    other = {name: path for name, path in inputs.mosaics.items() if name not in own}
    ground = read_ground(inputs.elevation, inputs.shoreline_m)
    if ground.relief.grid.body != inputs.body:
        raise InputError(f"{inputs.elevation} is of {ground.relief.grid.body.name}, expected {inputs.body.name}")
    layers = [_with_mosaics(layer, own.values()) for layer in _planet(inputs, ground)]
    described = [_layer(layer, inputs, own, ground, output) for layer in layers]
    _write_globe(layers, ground, output / "data")
    compared = [
        comparison.compared(region, path, inputs.downloads[region], inputs.regions.get(region), output)
        for region, path in sorted(other.items())
        if region in inputs.downloads
    ]
    manifest = {
        "body": {"name": inputs.body.name, "radius_m": inputs.body.radius_m},
        "layers": described,
        "regions": [_region(name, path, inputs, output) for name, path in sorted(own.items())],
        "places": [feature._asdict() for feature in features(inputs.body.name)],
        "comparisons": compared,
    }
    write_script(output / "data" / "manifest.js", "manifest", manifest)
    _copy_page(output)


def _planet(inputs: ViewerInputs, ground: Ground) -> list[PlanetLayer]:
    layers = [*drawn_layers(inputs.base, ground, inputs.body), *relief_layers(ground)]
    layers += climate_layers(inputs.climate, inputs.body) if inputs.climate else []
    return layers + ([observed_layer(inputs.observed, inputs.body)] if inputs.observed else [])


def _with_mosaics(layer: PlanetLayer, mosaics: Iterable[Path]) -> PlanetLayer:
    """Lay mosaics over the picture of the whole body: what the globe shows, and the map before one comes close."""
    if layer.name != "terraformed":
        return layer
    colours = layer.colours.copy()
    for path in mosaics:
        lay_over(colours, path)
    return layer._replace(colours=colours)


def _layer(
    layer: PlanetLayer, inputs: ViewerInputs, mosaics: Mapping[str, Path], ground: Ground, output: Path
) -> dict[str, Any]:
    """Write the tiles of a layer, those of regions above those of the body, and describe it to the page."""
    parts = [layer.made]
    pictures: dict[str, Picture] = {"planet": ArrayPicture(layer.colours)}
    files: list[dict[str, Any]] = []
    if layer.name == "terraformed":
        if inputs.from_cog:
            files = place_mosaics(mosaics, output)
        else:
            shutil.rmtree(output / MOSAICS, ignore_errors=True)
            pictures |= {name: mosaic_picture(path) for name, path in mosaics.items()}
        parts += [made for path in mosaics.values() if (made := made_by(path)) is not None]
    if layer.name in ("relief", "hillshade"):
        colours = ReliefDrawing(inputs.body, ground.range_m if layer.name == "relief" else None)
        for name, path in mosaics.items():
            heights = inputs.downloads.get(name, Path()) / "elevation.tif"
            if heights.is_file():
                pictures[name] = RasterPicture(heights, mosaic_picture(path).grid, colours)
    tiles = [write_pyramid(picture, f"tiles/{layer.name}/{name}", output) for name, picture in pictures.items()]
    return {
        "name": layer.name,
        "title": layer.title,
        "legend": layer.legend._asdict() if layer.legend else None,
        "pyramids": tiles + files,
        **credits_of(parts),
    }


def _body(path: Path) -> Body:
    with raster.opened(path) as dataset:
        return raster.body_of(dataset)


def _region(name: str, mosaic: Path, inputs: ViewerInputs, output: Path) -> dict[str, Any]:
    grid = mosaic_picture(mosaic).grid
    east = grid.west_deg + grid.width * grid.pixel_deg[0]
    south = grid.north_deg - grid.height * grid.pixel_deg[1]
    title = inputs.regions[name].title if name in inputs.regions else name
    described = {"name": name, "title": title, "bounds": [grid.west_deg, south, east, grid.north_deg]}
    elevation = inputs.downloads.get(name, Path()) / "elevation.tif"
    if not elevation.is_file() or grid.wraps:
        return {**described, "heights": None}
    factor = max(1, -(-max(grid.width, grid.height) // _FINE_CELLS))
    key = f"heights-{name}"
    packed = packed_heights(region_heights(elevation, grid, factor))
    write_script(output / "data" / f"{key}.js", key, packed)
    place = {"west": grid.west_deg, "north": grid.north_deg, "pixel": [side * factor for side in grid.pixel_deg]}
    return {**described, "heights": {"name": key, **place, "width": packed["width"], "height": packed["height"]}}


def _write_globe(layers: Iterable[PlanetLayer], ground: Ground, folder: Path) -> None:
    for layer in layers:
        write_script(folder / f"globe-{layer.name}.js", f"globe-{layer.name}", picture_url(layer.colours, _GLOBE_PX))
    coarse = ground.relief.grid.coarser(_HEIGHTS_CELLS)
    write_script(folder / "heights.js", "heights", packed_heights(ground.relief.grid.coarsened(ground.metres, coarse)))


def _copy_page(output: Path) -> None:
    """Copy the page and what it stands on; the page itself comes last."""
    found = [path for folder in (VENDOR, PAGE) for path in sorted(folder.rglob("*")) if path.suffix in _SHOWN]
    for path in sorted(found, key=lambda path: path.name == "index.html"):
        place = output / ("vendor" if VENDOR in path.parents else "") / path.name
        with atomic_write(place) as temporary:
            shutil.copyfile(path, temporary)
