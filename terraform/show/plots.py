"""Pictures of a training: the losses, and boards of relief, real and generated imagery."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from terraform.evaluation.evaluate import Board
from terraform.geo.heights import unpack
from terraform.learn.data.dataset import StoredPairs
from terraform.learn.runtime.checkpoint import Row
from terraform.pairs.colormap import turbo
from terraform.storage.atomic_write import atomic_write

_GAP = 4
_HEADER = 20
_MOST_APART = 64


def sample_board(path: Path, stored: StoredPairs, columns: dict[str, torch.Tensor], footer: str, high_m: float) -> None:
    """Draw pairs as rows: relief, then one column for each set of pictures.

    Parameters
    ----------
    stored : StoredPairs
        N pairs; their relief is the first column, their imagery the second.
    columns : mapping of title to (N, 3, 256, 256) float32 in [-1, 1]
        Further columns.
    footer : str
        A line under the board.
    high_m : float
        Height of the Turbo colormap's last colour, metres.
    """
    further = {title: levels(values) for title, values in columns.items()}
    _draw_rows(path, {**_relief(stored, high_m), "real": stored.imagery.numpy(), **further}, footer)


def judged_board(path: Path, board: Board, footer: str, high_m: float) -> None:
    """Draw judged tiles as rows: relief, base colours, real, generated, and where these differ.

    Parameters
    ----------
    board : Board
    footer : str
        A line under the board.
    high_m : float
        Height of the Turbo colormap's last colour, metres.
    """
    real, drawn = board.stored.imagery.numpy(), levels(board.pictures["generated"])
    apart = np.abs(real.astype(np.float32) - drawn).mean(3) * real.any(3)
    columns = {
        **_relief(board.stored, high_m),
        "base colours": levels(board.pictures["base"]),
        "real": real,
        "generated": drawn,
        f"mean difference, Turbo 0-{_MOST_APART} levels": turbo(apart, apart < 0, 0, _MOST_APART),
    }
    _draw_rows(path, columns, footer, board.captions)


def _relief(stored: StoredPairs, high_m: float) -> dict[str, NDArray[np.uint8]]:
    heights = unpack(stored.elevation[:, stored.inner, stored.inner].numpy())
    return {f"relief, Turbo 0-{high_m:g} m": turbo(heights.metres, heights.sea | heights.void, 0, high_m)}


def _draw_rows(
    path: Path, columns: dict[str, NDArray[np.uint8]], footer: str, captions: Sequence[str] | None = None
) -> None:
    """Draw pictures, (N, H, W, 3) a column, as N rows with a header, a footer and perhaps a caption each."""
    from torchvision.utils import make_grid

    shown = torch.stack([torch.from_numpy(values) for values in columns.values()], 1)  # (N, columns, H, W, 3)
    grid = make_grid(shown.flatten(0, 1).permute(0, 3, 1, 2), nrow=len(columns), padding=_GAP, pad_value=255)
    board = Image.fromarray(grid.permute(1, 2, 0).numpy())
    height, width = (shown.shape[axis] + _GAP for axis in (2, 3))
    page = Image.new("RGB", (board.width, board.height + 2 * _HEADER), "white")
    page.paste(board, (0, _HEADER - _GAP))
    draw = ImageDraw.Draw(page)
    for column, title in enumerate(columns):
        draw.text((_GAP + column * width, 4), title, "black")
    for row, caption in enumerate(captions or []):
        if caption:
            left, top = _GAP, _HEADER + row * height
            draw.rectangle(draw.textbbox((left + 4, top + 4), caption), "white")
            draw.text((left + 4, top + 4), caption, "black")
    draw.text((_GAP, page.height - _HEADER + 4), footer, "black")
    with atomic_write(path) as temporary:
        page.save(temporary)


def levels(pictures: torch.Tensor) -> NDArray[np.uint8]:
    """(N, 3, H, W) in [-1, 1] as (N, H, W, 3) uint8."""
    scaled = ((pictures.permute(0, 2, 3, 1) + 1) * 127.5).round().clamp(0, 255)
    return np.asarray(scaled.to(torch.uint8))


def losses(path: Path, history: Sequence[Row]) -> None:
    """Plot the losses, the validation, and L1 by region over images seen and epochs."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 8), layout="constrained")
    axes = figure.subplots(4, 1, sharex=True)
    images = [row.images for row in history]
    for axis, names in ((axes[0], ("g_adv", "d_real", "d_fake")), (axes[1], ("g_l1",))):
        for name in names:
            axis.plot(images, [getattr(row, name) for row in history], label=name)
        axis.legend(loc="upper right")
        axis.grid(alpha=0.3)
    checked = [row for row in history if row.val_swd is not None]
    axes[2].plot(
        [row.images for row in checked], [row.val_l1 for row in checked], "o-", label="held-out L1, levels of 255"
    )
    axes[2].plot(
        [row.images for row in checked], [(row.val_swd or 0) / 10 for row in checked], "s-", label="held-out SWD / 10"
    )
    axes[2].legend(loc="upper right")
    axes[2].grid(alpha=0.3)
    _plot_regions(axes[3], history)
    axes[3].set_xlabel("images seen")
    pairs = history[-1].images / history[-1].epochs
    epochs = axes[0].secondary_xaxis("top", functions=(lambda seen: seen / pairs, lambda often: often * pairs))
    epochs.set_xlabel("epochs")
    with atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=110)


def _plot_regions(axis: Any, history: Sequence[Row]) -> None:
    """L1 of each region: lines for those learnt from, dots for held-out ones."""
    lines: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for row in history:
        for role, regions in row.by_region.items():
            for region, value in regions.items():
                lines.setdefault((role, region), []).append((row.images, value))
    for (role, region), points in sorted(lines.items()):
        axis.plot(*zip(*points, strict=True), "-" if role == "train" else "o--", label=f"{region} ({role})")
    axis.set_ylabel("L1, levels of 255")
    axis.legend(loc="upper right", ncols=2, fontsize="small")
    axis.grid(alpha=0.3)
