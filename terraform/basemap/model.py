"""The base model: a few small networks from features of a cell to its colours, and their file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.functional import dropout, silu

from terraform.basemap.features import FEATURES, Feature
from terraform.errors import InputError
from terraform.storage.atomic_write import atomic_write
from terraform.storage.reading import parse_json

FORMAT = "terraform-base-model-1"
_KEY = "base_model"
_CHUNK = 1 << 12
_KNEE = 0.1
_PINK = np.float32(2 / 255)


class Networks(nn.Module):
    """Several multilayer perceptrons of one shape side by side.

    Parameters
    ----------
    sizes : sequence of int
        Features, hidden layers, outputs.
    members : int
        How many networks.
    """

    def __init__(self, sizes: list[int], members: int) -> None:
        super().__init__()
        pairs = list(pairwise(sizes))
        self.weights = nn.ParameterList([nn.Parameter(torch.zeros(members, a, b)) for a, b in pairs])
        self.biases = nn.ParameterList([nn.Parameter(torch.zeros(members, 1, b)) for _, b in pairs])

    def reset(self, generator: torch.Generator) -> None:
        """Draw the first weights: normal, of the spread that keeps a unit variance."""
        with torch.no_grad():
            for weight in self.weights:
                weight.normal_(0, weight.shape[1] ** -0.5, generator=generator)

    def forward(self, x: Tensor, dropped: float = 0.0) -> Tensor:
        """Colours of cells: (members or 1, N, features) -> (members, N, outputs), 0 to 1."""
        for weight, bias in list(zip(self.weights, self.biases, strict=True))[:-1]:
            x = dropout(silu(torch.matmul(x, weight) + bias), dropped, self.training)
        return torch.sigmoid(torch.matmul(x, self.weights[-1]) + self.biases[-1])


@dataclass(frozen=True)
class BaseModel:
    """Colours of land from features of its climate and relief, learnt on Earth.

    Attributes
    ----------
    networks : Networks
        Their mean is the model.
    months : tuple of int
        Months that it learnt from, 1 is January, 0 the composite; it draws the months between them too.
    low, high : (F,) float32
        Range of each feature while learning; what lies beyond is held there, smoothly.
    features : tuple of Feature
        What it sees, with the scaling.
    texts : mapping
        Provenance, licence, attribution: whatever was passed in when it was learnt.
    """

    networks: Networks
    months: tuple[int, ...]
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    features: tuple[Feature, ...] = FEATURES
    texts: Mapping[str, str] = field(default_factory=dict)

    def colours(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Draw land.

        Parameters
        ----------
        features : (..., F) float32
            As `features_of` gives them for a month or for the composite.

        Returns
        -------
        (..., 3) float32
            Red, green and blue, 0 to 1. Green is never more than 2 levels of 255 below the mean of the others, as on
            99.5 % of Earth's land: where Earth has no such climate, a mixture of snow and rock would come out pink.
        """
        flat = features.reshape(-1, features.shape[-1])
        drawn = np.empty((len(flat), 3), np.float32)
        with torch.inference_mode():
            for start in range(0, len(flat), _CHUNK):
                part = torch.from_numpy(held(flat[start : start + _CHUNK], self.low, self.high))
                drawn[start : start + _CHUNK] = self.networks(part[None]).mean(0).numpy()
        least = (drawn[:, 0] + drawn[:, 2]) / 2 - _PINK
        np.maximum(drawn[:, 1], least, out=drawn[:, 1])
        return drawn.reshape(*features.shape[:-1], 3)


def held(features: NDArray[np.float32], low: NDArray[np.float32], high: NDArray[np.float32]) -> NDArray[np.float32]:
    """Hold features within the range seen while learning.

    Within it they are unchanged; beyond, they approach `high + 0.1` or `low - 0.1` with a continuous slope, so that
    what Earth never had looks like the nearest that it has.
    """
    above = np.maximum(features - high, 0)
    below = np.maximum(low - features, 0)
    inside = np.clip(features, low, high)
    return np.asarray(inside + _KNEE * (np.tanh(above / _KNEE) - np.tanh(below / _KNEE)), np.float32)


def save(path: Path, model: BaseModel) -> None:
    """Publish a base model as safetensors with its metadata."""
    described = {
        "format": FORMAT,
        "months": list(model.months),
        "features": [list(feature) for feature in model.features],
        "texts": dict(sorted(model.texts.items())),
    }
    tensors = {name: tensor.detach().contiguous() for name, tensor in model.networks.state_dict().items()}
    tensors |= {"low": torch.from_numpy(model.low.copy()), "high": torch.from_numpy(model.high.copy())}
    with atomic_write(path) as temporary:
        # One key: safetensors writes several in an order that changes from run to run.
        save_file(tensors, temporary, {_KEY: json.dumps(described)})


def load(path: Path) -> BaseModel:
    """Read a base model.

    Raises
    ------
    InputError
        The file is missing, damaged or of another format.
    """
    try:
        with safe_open(path, framework="pt") as opened:
            text = (opened.metadata() or {}).get(_KEY, "{}")
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} is no base model ({error}): learn or fetch it again") from None
    try:
        described = dict(parse_json(text))
    except (ValueError, TypeError) as error:
        raise InputError(f"{path} is a damaged base model ({error}): learn or fetch it again") from None
    if described.get("format") != FORMAT:
        raise InputError(f"{path} has the format {described.get('format')!r}, not {FORMAT!r}: learn or fetch it again")
    try:
        return _built(described, tensors)
    except (KeyError, ValueError, TypeError, RuntimeError) as error:
        raise InputError(f"{path} is a damaged base model ({error}): learn or fetch it again") from None


def _built(described: Mapping[str, Any], tensors: dict[str, Tensor]) -> BaseModel:
    features = tuple(Feature(str(n), float(c), float(s)) for n, c, s in described["features"])
    if features != FEATURES:
        raise ValueError("its features are not those that are computed here")
    months = tuple(int(month) for month in described["months"])
    low, high = tensors.pop("low").numpy(), tensors.pop("high").numpy()
    weights = [tensors[f"weights.{k}"] for k in range(sum(name.startswith("weights.") for name in tensors))]
    sizes = [weights[0].shape[1], *(weight.shape[2] for weight in weights)]
    if (sizes[0], sizes[-1]) != (len(features), 3) or len(low) != sizes[0] or len(high) != sizes[0]:
        raise ValueError("its layers do not fit its features")
    networks = Networks(sizes, len(weights[0]))
    networks.load_state_dict(tensors)
    if not all(torch.isfinite(tensor).all() for tensor in tensors.values()):
        raise ValueError("it holds non-finite weights")
    return BaseModel(networks.eval(), months, low, high, features, dict(described["texts"]))
