"""A trained generator's file: safetensors that hold their own configuration, so that none can disagree with it."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from terraform import provenance
from terraform.config import Condition, Sheet, Tile, Train, renamed
from terraform.errors import InputError
from terraform.geo.tile_spec import DEFAULT_TILE, TileSpec
from terraform.learn.models.generators import base_channels, build_generator
from terraform.pairs.relief import channels_of
from terraform.provenance import Provenance
from terraform.storage.atomic_write import atomic_write
from terraform.storage.reading import parse_json

FORMAT = 4
"""4: the size of a tile. 3: `train.base`. 2: the channel `sea` is 0 on land, in 1 it was -1."""
_READ = {"2", "3", "4"}
"""Without `train.base` a generator knows no base colours; without `tile` it learnt from tiles of the default size."""


@dataclass(frozen=True)
class TrainedGenerator:
    """A generator as it is deployed, which is as it was validated.

    Attributes
    ----------
    network : nn.Module
        (N, C, H, W) float32 -> (N, 3, H, W) in [-1, 1]; C as `channels`: what `encode` returns, then noise.
    condition, sheet : settings of the encoding
    settings : Train
        How it was trained; `settings.noise` is the number of channels of noise.
    provenance : Provenance
        Of the pairs it learnt from.
    stride : int
        Windows must begin and end on multiples of it, pixels.
    halo_px : int
        Pixels around a window that its own pixels can depend on.
    tile_safe : bool
        With that halo a pixel is the same in whatever window it is drawn.
    spec : TileSpec
        The size of the tiles that it learnt from, and of the pixels that it draws.
    images : int, optional
        Images that it saw while it learnt, those of the weights that it started from among them; None where its file
        does not say.
    """

    network: nn.Module
    condition: Condition
    sheet: Sheet
    settings: Train
    provenance: Provenance
    stride: int
    halo_px: int
    tile_safe: bool
    spec: TileSpec = DEFAULT_TILE
    images: int | None = None

    @property
    def needs_base(self) -> bool:
        """Whether `terraform.pairs.relief.encode` must be given base colours (`terraform.pairs.context.Context`)."""
        return self.settings.base != "none"

    @property
    def settings_of_pairs(self) -> Train:
        """Settings with which pairs are drawn as mosaics are: with a halo, as wide as their margin leaves room for."""
        distant = self.condition.encoding == "relief" and "sea_distance" in self.condition.channels
        with_base_px = self.spec.BASE_MARGIN_CELLS * self.spec.BASE_CELL_PX
        halo_px = min(with_base_px, self.spec.margin_px // 2) if self.tile_safe and not distant else 0
        return self.settings.model_copy(update={"halo_px": halo_px - halo_px % self.stride})

    def with_sea(self, drawn: Tensor, base: Tensor, sea: Tensor) -> Tensor:
        """Show the sea in its base colours: a generator that adds to them has seen no ice on it.

        Parameters
        ----------
        drawn, base : (N, 3, H, W) float32, [-1, 1]
            What the network drew; base colours, of the sea at least.
        sea : (N, 1, H, W) bool

        Returns
        -------
        (N, 3, H, W) float32, [-1, 1]
            `drawn` as it is by generators that add to no base.
        """
        return torch.where(sea, base, drawn) if self.settings.base == "added" else drawn

    @property
    def channels(self) -> int:
        """Channels of its input."""
        return input_channels(self.condition, self.settings)


def input_channels(condition: Condition, settings: Train) -> int:
    """Count a generator's input channels: encoded relief, base colours, noise, in this order."""
    return channels_of(condition) + base_channels(settings) + settings.noise


def set_inference_mode(network: nn.Module, settings: Train) -> nn.Module:
    """Set the mode in which a network draws: `unet256` with batch norm as published, everything else in eval mode.

    pix2pix tests with dropout and with the statistics of the batch (3.2); batch norm trained on single images draws
    something else in eval mode.
    """
    return network.train(settings.network == "unet256" and settings.norm == "batch")


def save(
    path: Path, network: nn.Module, condition: Condition, sheet: Sheet, settings: Train, made: Provenance,
    spec: TileSpec = DEFAULT_TILE, images: int | None = None,
) -> None:  # fmt: skip
    """Publish a weights file."""
    header = {"format": str(FORMAT), **metadata(condition, sheet, settings, made, spec)}
    if images is not None:
        header["images"] = str(images)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    with atomic_write(path) as temporary:
        save_file(tensors, temporary, header)


def metadata(
    condition: Condition, sheet: Sheet, settings: Train, made: Provenance, spec: TileSpec = DEFAULT_TILE
) -> dict[str, str]:
    """Describe a generator in its file: encoding, size of a tile, settings, provenance, licence and attribution."""
    return {
        "tile": json.dumps(asdict(spec)),
        "condition": condition.model_dump_json(),
        "sheet": sheet.model_dump_json(),
        "train": settings.model_dump_json(),
        "provenance": provenance.to_json(made),
        **made.tags(),
    }


def load(path: Path, device: str = "cpu") -> TrainedGenerator:
    """Read a weights file.

    Raises
    ------
    InputError
        It is missing, damaged, not ours, or of a newer format.
    """
    header, tensors = _read(path)
    if header.get("format") not in _READ:
        raise InputError(
            f"{path} has weights of format {header.get('format', 'unknown')}, this version reads "
            f"{' and '.join(sorted(_READ))}: use the version of terraform that wrote it"
        )
    try:
        condition = Condition.model_validate_json(header["condition"])
        sheet = Sheet.model_validate_json(header["sheet"])
        settings = Train.model_validate(renamed("train", dict(parse_json(header["train"]))))
        made = provenance.from_json(header["provenance"])
        spec = TileSpec.of(Tile.model_validate_json(header.get("tile", "{}")))
        images = int(header["images"]) if "images" in header else None
    except (ValidationError, KeyError, ValueError, TypeError) as error:
        raise InputError(
            f"{path} does not say how it was trained ({_first(error)}): it is not one of our weights files, or one of "
            "another encoding"
        ) from None
    network = build_generator(settings, input_channels(condition, settings))
    _check_values(path, network, tensors)
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise InputError(
            f"{path} does not hold the network it names ({_first(error)}): its encoding is another; train again"
        ) from None
    network = set_inference_mode(network, settings).to(device)
    kind: Any = type(network)
    # An instance norm takes its statistics from the window.
    tile_safe = kind.tile_safe and settings.norm != "instance"
    return TrainedGenerator(
        network, condition, sheet, settings, made, kind.stride, kind.halo_px, tile_safe, spec, images
    )


def _check_values(path: Path, network: nn.Module, tensors: dict[str, Tensor]) -> None:
    """Refuse values that torch would convert silently, or draw nothing with; half precision is a published file's."""
    types = {name: tensor.dtype for name, tensor in network.state_dict().items()}
    for name, tensor in tensors.items():
        half = tensor.dtype == torch.float16 and types.get(name) == torch.float32
        if not half and tensor.dtype != types.get(name, tensor.dtype):
            raise InputError(f"{path}: {name} is {tensor.dtype}, expected {types[name]}: get it or train it again")
        if not tensor.isfinite().all():
            raise InputError(f"{path}: {name} holds non-finite values: get it or train it again")


def _read(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    if not path.is_file():
        raise InputError(f"{path} does not exist: train first, or name a weights file")
    try:
        with safe_open(path, "pt") as file:
            return dict(file.metadata() or {}), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise InputError(
            f"{path} is no safetensors file ({error}): it may be truncated, get or train it again"
        ) from None


def parameters_of(network: nn.Module) -> int:
    """Count the trainable values."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


def _first(error: Exception) -> str:
    """Quote what a library says first, of one thing: the rest is more of the same."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[1:3] if len(lines) > 2 else lines)[:200]
