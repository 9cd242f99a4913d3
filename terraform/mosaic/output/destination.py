"""Where a picture goes: checked before anything is drawn, written in the format that its name says."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from terraform.errors import ConfigError, InputError, ResourceError
from terraform.mosaic.output import cog
from terraform.mosaic.output.picture_file import save_rgba
from terraform.storage.atomic_write import require_replaceable

_LONGEST_NAME = 200
COGS = (".tif", ".tiff")
"""Suffixes of cloud-optimised GeoTIFFs."""


def check_destination(output: Path, inputs: Iterable[Path | None], suffixes: Iterable[str]) -> None:
    """Refuse a destination that cannot be written or that would destroy what is read.

    Parameters
    ----------
    output : Path
        A file that is to be written.
    inputs : iterable of Path or None
        What is read to make it.
    suffixes : iterable of str
        Lower-case, with the dot: formats that can be written.

    Raises
    ------
    ConfigError
        It is a pipe or a device, or no file can have such a name.
    InputError
        It is a folder, one of the inputs, or of another format.
    ResourceError
        Its folder cannot be made or written to.
    """
    allowed = list(suffixes)
    if len(os.fsencode(output.name)) > _LONGEST_NAME:
        raise ConfigError(
            f"{output.name[:20]}... is longer than {_LONGEST_NAME} bytes: files beside it need longer names"
        )
    if output.name and output.is_dir():
        raise InputError(f"{output} is a folder: name the file to write, such as {output / 'terraformed.tif'}")
    if output.parent.is_dir():
        require_replaceable(output)
    if output.suffix.lower() not in allowed:
        given = output.suffix or "without a suffix"
        raise InputError(f"{output} is {given}: what can be written is {', '.join(allowed)}")
    for path in inputs:
        if path is not None and _same(path, output):
            raise InputError(f"{output} is the file that is read ({path}): name another, or it would be lost")
    _check_folder(output.absolute().parent)


def _same(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and one.samefile(other)


def _check_folder(folder: Path) -> None:
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    if not existing.is_dir():
        raise ResourceError(f"{folder} cannot be made: {existing} is a file; name another place")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise ResourceError(f"{existing} cannot be written to: name another place, or make it writable")


def write_picture(mosaic: Path, output: Path, tags: Mapping[str, str]) -> None:
    """Publish a mosaic as a picture without a georeference.

    Parameters
    ----------
    mosaic : Path
        A GeoTIFF as `cog.write` writes it.
    output : Path
        `.png` and `.webp` are transparent where the mosaic is masked, `.jpg` is white there.
    tags : mapping
        Written into the picture as one text.
    """
    save_rgba(cog.small(mosaic, 2**31 - 1), output, {"DESCRIPTION": cog.DESCRIPTION, **tags})
