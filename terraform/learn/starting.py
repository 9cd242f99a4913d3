"""Fine-tuning: a training that starts with the generator of another one."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from terraform.config import Condition, Config
from terraform.errors import ConfigError
from terraform.learn import weights
from terraform.learn.trainer import Trainer

_NAMED = 5


def start_from_weights(trainer: Trainer, config: Config) -> str | None:
    """Give a trainer's generator, and its average, the values of `train.start_from`.

    Returns
    -------
    str or None
        What was done; None where the setting is null.

    Raises
    ------
    ConfigError
        The weights see other channels, or are of another network: each value that differs is named, with both shapes.
    InputError
        They are missing, damaged or none of ours.
    """
    path = config.train.start_from
    if path is None:
        return None
    given = weights.load(Path(path))
    seen, wanted = _channels(given.condition), _channels(config.condition)
    if seen != wanted:
        raise ConfigError(
            f"train.start_from: {path} sees {', '.join(seen)}, and the condition is {', '.join(wanted)}: set "
            "condition.channels to those of the weights, or start without them"
        )
    tensors = given.network.state_dict()
    _check_shapes(trainer.generator.state_dict(), tensors, path)
    for network in (trainer.generator, trainer.average):
        network.load_state_dict(tensors)
    return f"starting from the generator of {path}"


def _channels(condition: Condition) -> list[str]:
    return [condition.encoding, *(condition.channels if condition.encoding == "relief" else [])]


def _check_shapes(own: Mapping[str, Tensor], given: Mapping[str, Tensor], path: str) -> None:
    names = dict.fromkeys([*own, *given])
    wrong = [f"{name} {_shape(given.get(name))} (here {_shape(own.get(name))})"
             for name in names if _shape(own.get(name)) != _shape(given.get(name))]  # fmt: skip
    if wrong:
        more = f" and {len(wrong) - _NAMED} more" if len(wrong) > _NAMED else ""
        raise ConfigError(
            f"train.start_from: {path} holds another network: {', '.join(wrong[:_NAMED])}{more}; set train.network, "
            "width, norm, noise and base as the weights have them"
        )


def _shape(tensor: Tensor | None) -> str:
    return "none" if tensor is None else "x".join(map(str, tensor.shape)) or "one"
