"""Pictures inside the page: smaller, as WebP in a data URL."""

import base64
import io
from pathlib import Path

from PIL import Image

from terraform.errors import InputError

_QUALITY = 82
_MOST_PIXELS = 300_000_000


class Album:
    """Reads pictures for the page, each at most as wide as wanted, times what is left of the room.

    Parameters
    ----------
    scale : float
        1 as wanted, less where the page became too large.
    """

    def __init__(self, scale: float = 1.0) -> None:
        self._scale = scale
        self._known: dict[tuple[Path, int, int], str] = {}

    def url(self, path: Path, width: int, footer: int = 0) -> str | None:
        """Read a picture as a data URL; None where it was not made.

        Parameters
        ----------
        path : Path
        width : int
            Pixels at most.
        footer : int
            Rows at its end to leave out.

        Raises
        ------
        InputError
            It is no picture.
        """
        if not path.is_file():
            return None
        key = (path, width, footer)
        if key not in self._known:
            self._known[key] = _encoded(path, max(64, round(width * self._scale)), footer)
        return self._known[key]


def _encoded(path: Path, width: int, footer: int) -> str:
    try:
        with Image.open(path, formats=("JPEG", "PNG")) as image:
            if image.width * image.height > _MOST_PIXELS:
                raise InputError(f"{path} has {image.width} x {image.height} pixels: too many for a page")
            image.draft("RGB", (width, width))
            size = image.size
            picture = image.convert("RGB").crop((0, 0, size[0], max(1, size[1] - footer)))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"{path} is no picture ({' '.join(str(error).split())[:120]}): make it again") from None
    if picture.width > width:
        picture = picture.resize((width, max(1, round(picture.height * width / picture.width))), Image.Resampling.BOX)
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=_QUALITY, method=4)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
