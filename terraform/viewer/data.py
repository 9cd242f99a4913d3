"""What the page reads as scripts: a page from disk may not fetch files, but it may load scripts."""

import base64
import io
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from terraform.storage.atomic_write import write_text

_QUALITY = 88


def write_script(path: Path, key: str, value: Any) -> None:
    """Publish a value as a script that hands it to the page under a key.

    Parameters
    ----------
    path : Path
        A `.js` file.
    key : str
        Of the page's table of data.
    value : Any
        What JSON holds. Names and attributions come from outside: nothing in them can end the script.
    """
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    text = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    write_text(path, f"TERRAFORM.receive({json.dumps(key)},{text});\n")


def packed_heights(metres: NDArray[np.float32]) -> dict[str, Any]:
    """Pack heights (H, W): whole metres, differences along each row, zlib, base64.

    Returns
    -------
    dict
        width, height, data; as the page unpacks it.
    """
    whole = np.clip(np.rint(metres), -32768, 32767).astype("<i4")
    steps = np.diff(whole, axis=1, prepend=0).astype("<i2")
    data = base64.b64encode(zlib.compress(steps.tobytes(), 9)).decode()
    return {"width": metres.shape[1], "height": metres.shape[0], "data": data}


def picture_url(colours: NDArray[np.uint8], width: int) -> str:
    """Write a picture (H, W, 3) at most `width` wide as a data URL: WebGL takes no pictures from disk."""
    image = Image.fromarray(colours)
    if image.width > width:
        image = image.resize((width, round(image.height * width / image.width)), Image.Resampling.BOX)
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=_QUALITY, method=4)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
