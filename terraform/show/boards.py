"""What a training and an evaluation show while they run: called by the commands, so that learning needs no plots."""

from importlib.util import find_spec
from pathlib import Path

from terraform.config import Config
from terraform.evaluation import evaluate
from terraform.learn import train
from terraform.learn.runtime.checkpoint import TrainState
from terraform.show import cards

_CAPTION = "held-out pairs; what is generated is plausible, not predicted"


def of_training(output: Path, high_m: float, tensorboard: bool = False) -> train.Callback:
    """Draw `samples.png` and `losses.png` at every validation, where matplotlib, pillow and torchvision are.

    A picture that cannot be drawn, or a TensorBoard that cannot be written, is told and never ends a training: the
    record is `history.csv`.

    Parameters
    ----------
    tensorboard : bool
        Write `tensorboard/` too.

    Raises
    ------
    ConfigError
        TensorBoard is wanted and not installed.
    """
    watches = [_pictures(output, high_m)] if _can_draw() else []
    if tensorboard:
        from terraform.show.tensorboard import Events

        watches.append(Events(output / "tensorboard").add)

    def watch(state: TrainState, samples: train.Samples) -> None:
        for each in watches:
            try:
                each(state, samples)
            except Exception as error:
                print(f"not drawn at {state.images} images: {error}", flush=True)

    return watch


def _pictures(output: Path, high_m: float) -> train.Callback:
    def draw(state: TrainState, samples: train.Samples) -> None:
        from terraform.show import plots

        footer = f"{_CAPTION}; {state.images} images seen"
        base = {} if samples.base is None else {"base colours": samples.base}
        columns = {**base, "generated": samples.generated}
        plots.sample_board(output / "samples.png", samples.stored, columns, footer, high_m)
        plots.losses(output / "losses.png", state.history)

    return draw


def of_evaluation(output: Path, high_m: float) -> evaluate.Callback:
    """Draw the boards of each role: fixed tiles, and the best, median and worst by each main metric."""
    if not _can_draw():
        return lambda role, board: None

    def watch(role: str, board: evaluate.Board) -> None:
        from terraform.show import plots

        plots.judged_board(output / f"{role}-{board.name}.png", board, f"{_CAPTION}; {role} regions", high_m)

    return watch


def card(output: Path, state: TrainState, config: Config) -> None:
    """Write the card beside the weights."""
    cards.write(output / "card.md", output / "weights.safetensors", state, config)


def _can_draw() -> bool:
    missing = [name for name in ("matplotlib", "PIL", "torchvision") if find_spec(name) is None]
    if missing:
        print(f"{' and '.join(missing)} not installed: no plots and boards are drawn", flush=True)
    return not missing
