"""What a training and an evaluation show while they run: called by the commands, so that learning needs no plots."""

from importlib.util import find_spec
from pathlib import Path

from terraform.config import Config
from terraform.learn import evaluate, train
from terraform.learn.runtime.checkpoint import Counters
from terraform.show import cards

_CAPTION = "held-out pairs; what is generated is plausible, not predicted"


def of_training(output: Path, high_m: float, tensorboard: bool = False) -> train.Watch:
    """Draw `samples.png` and `losses.png` at every validation, where matplotlib and pillow are installed.

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

    def watch(counters: Counters, board: train.Board) -> None:
        for each in watches:
            try:
                each(counters, board)
            except Exception as error:
                print(f"not drawn at {counters.images} images: {error}", flush=True)

    return watch


def _pictures(output: Path, high_m: float) -> train.Watch:
    def draw(counters: Counters, board: train.Board) -> None:
        from terraform.show import plots

        footer = f"{_CAPTION}; {counters.images} images seen"
        plots.board(output / "samples.png", board.stored, {"generated": board.generated}, footer, high_m)
        plots.losses(output / "losses.png", counters.history)

    return draw


def of_evaluation(output: Path, high_m: float) -> evaluate.Watch:
    """Draw one board a role."""
    if not _can_draw():
        return lambda role, judged: None

    def watch(role: str, judged: evaluate.Judged) -> None:
        from terraform.show import plots

        columns = {"generated": judged.generated, "colour table": judged.table}
        plots.board(output / f"{role}.png", judged.stored, columns, _CAPTION, high_m)

    return watch


def card(output: Path, counters: Counters, config: Config) -> None:
    """Write the card beside the weights."""
    cards.write(output / "card.md", output / "weights.safetensors", counters, config)


def _can_draw() -> bool:
    missing = [name for name in ("matplotlib", "PIL") if find_spec(name) is None]
    if missing:
        print(f"{' and '.join(missing)} not installed: no plots and boards are drawn", flush=True)
    return not missing
