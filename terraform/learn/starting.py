"""Fine-tuning: a training that starts with the generator of another one."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from terraform.config import Condition, Config
from terraform.errors import ConfigError
from terraform.learn import weights
from terraform.learn.models.generators import strengthen
from terraform.learn.trainer import Trainer

_NAMED = 5


def start_from_weights(trainer: Trainer, config: Config, resumed: bool = False) -> str | None:
    """Give a trainer's generator, and its average, the values of `train.start_from`; a resumed one but knows them.

    Channels of the condition that the weights do not know are joined with weights of 0: the first picture is theirs.

    Returns
    -------
    str or None
        What was done; None where the setting is null.

    Raises
    ------
    ConfigError
        The weights see channels that the condition lacks, or are of another network: each value that differs is named,
        with both shapes.
    InputError
        They are missing, damaged or none of ours.
    """
    path = config.train.start_from
    if path is None:
        return None
    given = weights.load(Path(path))
    seen, wanted = _channels(given.condition), _channels(config.condition)
    if not _within(seen, wanted):
        raise ConfigError(
            f"train.start_from: {path} sees {', '.join(seen)}, and the condition is {', '.join(wanted)}: set "
            "condition.channels to those of the weights, or start without them"
        )
    strengthen(given.network, 1 / given.settings.detail_gain)
    tensors = _widened(given.network.state_dict(), trainer.generator, seen[1:], wanted[1:])
    _check_shapes(trainer.generator.state_dict(), tensors, path)
    trainer.start = tensors
    for network in () if resumed else (trainer.generator, trainer.average):
        network.load_state_dict(tensors)
    new = [name for name in wanted if name not in seen]
    return f"starting from the generator of {path}" + (f", to which {', '.join(new)} is new" if new else "")


def images_before(config: Config) -> int | None:
    """Count the images that `train.start_from` saw; 0 without it, None where its file does not say."""
    path = config.train.start_from
    return 0 if path is None else weights.load(Path(path)).images


def _within(seen: list[str], wanted: list[str]) -> bool:
    """Whether the channels are those that are wanted, in their order, or some of them."""
    return seen == [name for name in wanted if name in seen]


def _widened(
    tensors: Mapping[str, Tensor], network: nn.Module, seen: list[str], wanted: list[str]
) -> dict[str, Tensor]:
    """Give kernels that read the condition zeros for the channels that are new to them."""
    own = network.state_dict()
    new = len(wanted) - len(seen)
    widened = dict(tensors)
    for name, first in getattr(network, "reads_condition", {}).items():
        kernel = tensors.get(name)
        if not new or kernel is None or name not in own or own[name].shape[1] != kernel.shape[1] + new:
            continue
        after = range(first + len(seen), kernel.shape[1])  # base colours and noise
        places = [
            *range(first),
            *(first + wanted.index(channel) for channel in seen),
            *(place + new for place in after),
        ]
        widened[name] = own[name].new_zeros(own[name].shape).to(kernel.dtype)
        widened[name][:, places] = kernel
    return widened


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
