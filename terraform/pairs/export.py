"""Pairs as the side-by-side pictures that other pix2pix trainers read."""

from pathlib import Path

import numpy as np
from PIL import Image

from terraform.config import Sheet as Settings
from terraform.pairs.sheet import relief
from terraform.pairs.store import open_pairs
from terraform.storage.atomic_write import atomic_write, write_text


def export(folder: Path, output: Path, settings: Settings) -> int:
    """Write A|B pictures, twice as wide as high, with the relief in Turbo colours as A and the imagery as B.

    Parameters
    ----------
    folder : Path
        A region's pairs.
    output : Path
        Folder; the pictures are named <region>_<row>_<column>.png, `LICENCE.txt` says whose they are.

    Returns
    -------
    int
        Number of pictures.
    """
    pairs = open_pairs(folder)
    for number, tile in enumerate(pairs.tiles):
        both = np.concatenate([relief(pairs, number, settings), pairs.imagery[number]], axis=1)
        with atomic_write(output / f"{pairs.region}_{tile['row']:03d}_{tile['column']:03d}.png") as temporary:
            Image.fromarray(both).save(temporary)
    write_text(output / "LICENCE.txt", f"{pairs.provenance.licence}\n{pairs.provenance.attribution}\n")
    return len(pairs)
