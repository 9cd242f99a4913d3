"""The record of a run: rows of mean losses and validations, as CSV and as a line of progress."""

import csv
import io
from collections.abc import Mapping

from terraform.learn.runtime.checkpoint import Row, TrainState

COLUMNS = (
    "images", "seconds", "g_adv", "g_l1", "d_real", "d_fake", "lr", "val_l1", "val_swd", "skipped", "train_l1",
    "mode_gap", "val_spread", "best", "epochs", "waited",
)  # fmt: skip
"""In `history.csv`; `Row` says what each is."""

REGION_COLUMNS = ("images", "epochs", "role", "region", "l1")
"""`l1`: levels of 255; of train regions, of the pictures learnt from since the row before, jittered, by the network as
it learnt; of validation regions as `val_l1`."""

_LEAST_SPREAD = 0.25
_LEAST_DOUBT = 0.005
"""Where both losses of the discriminator lie below this for a whole row, it is never wrong and teaches nothing."""


def as_csv(state: TrainState) -> str:
    """Write the history as CSV, one row a line, empty where nothing was validated."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for row in state.history:
        writer.writerow({name: f"{value:.6g}" for name, value in row.scalars().items()})
    return text.getvalue()


def regions_as_csv(state: TrainState) -> str:
    """L1 by region as CSV, one line for each row and region."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(REGION_COLUMNS)
    for row in state.history:
        for role, regions in row.by_region.items():
            for region, value in regions.items():
                writer.writerow([f"{row.images:.6g}", f"{row.epochs:.6g}", role, region, f"{value:.6g}"])
    return text.getvalue()


def add_row(
    state: TrainState,
    losses: Mapping[str, float],
    skipped: int,
    rate: float,
    pairs: int,
    learnt_by_region: Mapping[str, float],
) -> None:
    """End a row.

    Parameters
    ----------
    state : TrainState
        Its history gets the row.
    losses : mapping
        Means over the steps since the row before: g_adv, g_l1, d_real and d_fake.
    skipped : int
        Of these steps, those whose losses or gradients were non-finite.
    rate : float
        The generator's learning rate.
    pairs : int
        In an epoch.
    learnt_by_region : mapping
        Mean L1, levels of 255.
    """
    state.history.append(
        Row(
            images=state.images, seconds=state.seconds, waited=state.waited, epochs=state.images / pairs, lr=rate,
            skipped=skipped, by_region={"train": dict(learnt_by_region)}, **losses,
        )
    )  # fmt: skip


def row_before(state: TrainState, back: int = 2) -> int:
    """Count the images seen at the end of an earlier row; the last one is 1 back."""
    return state.history[-back].images if len(state.history) >= back else 0


def progress(state: TrainState, images: int) -> str:
    """Describe the last row in one line."""
    row = state.history[-1]
    rest = state.seconds / state.images * (images - state.images)
    text = f"{state.images:>7}/{images} images  {state.images / state.seconds:5.1f}/s  {_duration(rest)} left  "
    text += f"g_adv {row.g_adv:.3f}  g_l1 {row.g_l1:.3f}  d_real {row.d_real:.3f}  d_fake {row.d_fake:.3f}"
    if row.skipped:
        text += f"  {row.skipped:.0f} steps skipped: non-finite losses or gradients"
    if row.val_swd is None:
        return text
    text += f"  held out: L1 {row.val_l1:.1f} (trained on: {row.train_l1:.1f}), SWD {row.val_swd:.0f}"
    return text + (", the best so far" if row.best else "")


def warnings(state: TrainState) -> list[str]:
    """Say of the last row where the generator or the discriminator has given up."""
    row, said = state.history[-1], []
    if row.val_spread is not None and row.val_spread < _LEAST_SPREAD:
        said.append(
            f"the pictures of held-out pairs vary by {row.val_spread:.0%} of what real ones do: the generator draws "
            "one colour for everything; try a lower train.learning_rate or a higher train.lambda_texture"
        )
    if row.g_adv and max(row.d_real, row.d_fake) < _LEAST_DOUBT:
        said.append(
            f"the discriminator is never wrong (d_real {row.d_real:.4f}, d_fake {row.d_fake:.4f}): the generator "
            "cannot learn from it; try a lower train.discriminator_learning_rate"
        )
    return said


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
