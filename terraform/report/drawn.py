"""What was drawn: climates and base colours of whole bodies, mosaics of regions."""

from typing import Any

from terraform.errors import InputError
from terraform.planet.pictures import FOOTER_PX
from terraform.report.files import RunFiles, read_document
from terraform.report.parts import Cell, Fact, Figure, Number, Table
from terraform.report.pictures import Album

_MOST_MOSAICS = 12
_PICTURES = (
    ("preview.jpg", "Base colours of {body}, land over sea: what land of its climate looks like on Earth."),
    ("temperature.jpg", "Temperature of {body}, mean of the year."),
    ("precipitation.jpg", "Precipitation of {body}, sum of the year."),
    ("koeppen.png", "Köppen-Geiger classes of {body}."),
)
_SKILL = {"base_model": "base model", "height_and_latitude": "height and latitude alone", "one_colour": "one colour"}


def planets(run: RunFiles, album: Album) -> dict[str, Any]:
    """Show the climate and the base colours of each body.

    Raises
    ------
    InputError
        A file is damaged.
    """
    bodies = [body for body in run.config.planet.bodies if (run.planet / body).is_dir()]
    figures = [
        Figure(caption.format(body=body.capitalize()), picture=picture)
        for body in reversed(bodies)
        for name, caption in _PICTURES
        if (picture := album.url(run.planet / body / name, 760)) is not None
    ]
    skill = run.planet / "skill.json"
    return {
        "figures": figures,
        "skill": _skill(run, read_document(skill)) if skill.is_file() else None,
        "missing": [] if figures else ["No climates and base colours: snakemake --cores 8 planet"],
    }


def _skill(run: RunFiles, found: Any) -> Table:
    path = run.planet / "skill.json"
    try:
        places = list(found["cells"])
        cells: list[Cell] = ["cells", *(Number(found["cells"][place]) for place in places)]
        rows = [[called, *(_level(found[who].get(place)) for place in places)] for who, called in _SKILL.items()]
        unit = str(found["unit"])
    except (KeyError, TypeError, AttributeError):
        raise InputError(f"{path} does not say how good the base model is: remove it and make it again") from None
    names = ["learnt from" if place == "learnt_from" else f"{place}, left out" for place in places]
    return Table(("", *names), [*rows, cells], f"Errors of the base model and of straw men: {unit}.")


def _level(value: float | None) -> Number | None:
    return None if value is None else Number(value)


def mosaics(run: RunFiles, album: Album) -> dict[str, Any]:
    """Show the mosaics of regions.

    Raises
    ------
    InputError
        A file is damaged.
    """
    made = [name for name in run.mosaics if (run.mosaic(name) / "item.json").is_file()]
    missing = [name for name in run.mosaics if name not in made]
    said = [f"Not drawn: {', '.join(missing)}. snakemake --cores 8 mosaics"] if missing else []
    if not run.mosaics:
        said = ["No region has the role mosaic, so none was drawn."]
    if len(made) > _MOST_MOSAICS:
        said.append(f"{len(made) - _MOST_MOSAICS} more mosaics are in {run.mosaic('')}.")
    return {"mosaics": [_mosaic(run, album, name) for name in made[:_MOST_MOSAICS]], "missing": said}


def _mosaic(run: RunFiles, album: Album, name: str) -> dict[str, Any]:
    path = run.mosaic(name) / "item.json"
    told = read_document(path)
    try:
        properties = told["properties"]
        height, width = properties["proj:shape"]
        facts = [
            Fact("pixels", Number(int(width) * int(height))),
            Fact("wide", Number(int(width), unit="px")),
            Fact("high", Number(int(height), unit="px")),
            Fact("pixel", Number(float(properties["gsd"]), unit="m")),
            Fact("relief", Number(float(properties["terraform:relief_pixel_m"]), unit="m")),
            Fact("licence", str(properties["license"])),
        ]
        invented = bool(properties["terraform:synthetic_relief"])
    except (KeyError, TypeError, ValueError):
        raise InputError(f"{path} does not describe a mosaic: draw it again") from None
    title = run.regions[name].title
    relief = "synthetic relief" if invented else "its own relief"
    caption = f"{title}: plausible, never predicted; drawn from {relief}."
    picture = album.url(run.mosaic(name) / "preview.jpg", 1056)
    return {"title": title, "figure": Figure(caption, picture=picture) if picture else None, "facts": facts}


def hero(run: RunFiles, album: Album) -> str | None:
    """Choose the picture above the title: a whole body as this run colours it, else a mosaic."""
    for body in ("mars", "earth"):
        picture = album.url(run.planet / body / "preview.jpg", 1440, FOOTER_PX)
        if picture:
            return picture
    found = (album.url(run.mosaic(name) / "preview.jpg", 1440) for name in run.mosaics)
    return next((picture for picture in found if picture), None)
