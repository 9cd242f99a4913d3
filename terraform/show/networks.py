"""The networks drawn layer by layer, with the shapes between them."""

import shutil
from importlib.util import find_spec
from pathlib import Path

from torch import nn

from terraform.config import Train
from terraform.errors import ConfigError
from terraform.geo.tile_spec import DEFAULT_TILE
from terraform.learn.models.discriminators import build_discriminator
from terraform.learn.models.generators import build_generator
from terraform.storage.atomic_write import atomic_write

_DEPTHS = {"unet_fc": 2, "unet256": 2}
"""How far modules are opened: down to convolutions, norms and activations; 3 where it is not said."""


def networks(channels: int, settings: Train) -> dict[str, tuple[nn.Module, int]]:
    """Every generator and discriminator by name, and how many channels it sees.

    Parameters
    ----------
    channels : int
        Of the condition.
    settings : Train
        Their widths and the channels of noise.
    """
    drawn: dict[str, tuple[nn.Module, int]] = {}
    for name in ("unet_fc", "unet256", "cnn"):
        norm = settings.norm if name == "unet_fc" else "batch"  # the others as published
        own = settings.model_copy(update={"network": name, "norm": norm})
        drawn[name] = build_generator(own, channels + settings.noise), channels + settings.noise
    for name in ("multiscale", "patch70"):
        judge = build_discriminator(settings.model_copy(update={"discriminator": name}), channels)
        assert judge is not None
        drawn[name] = judge, channels + 3
    return drawn


def draw(folder: Path, channels: int, settings: Train) -> list[Path]:
    """Write one SVG for each network into a folder.

    Raises
    ------
    ConfigError
        torchview or Graphviz's program `dot` is missing.
    """
    missing = [name for name in ("torchview", "graphviz") if find_spec(name) is None]
    if missing:
        raise ConfigError(f"{', '.join(missing)} not installed: pip install 'terraform-planets[drawings]'")
    if shutil.which("dot") is None:
        raise ConfigError("Graphviz's program `dot` is not installed: apt install graphviz")
    written = []
    for name, (network, seen) in networks(channels, settings).items():
        with atomic_write(folder / f"{name}.svg") as temporary:
            temporary.write_bytes(_svg(network.eval(), seen, name))
        written.append(folder / f"{name}.svg")
    return written


def _svg(network: nn.Module, channels: int, name: str) -> bytes:
    from torchview import draw_graph

    side = DEFAULT_TILE.tile_px
    # On the device "meta" shapes are followed and nothing is computed.
    graph = draw_graph(
        network, input_size=(1, channels, side, side), depth=_DEPTHS.get(name, 3), device="meta",
        expand_nested=True, graph_name=name, hide_module_functions=True,
    )  # fmt: skip
    drawing: bytes = graph.visual_graph.pipe(format="svg")
    return drawing
