"""The card of a trained generator: what it is, what it learnt from, how good it is, what one may do with it."""

from pathlib import Path

from terraform.config import Config
from terraform.learn.runtime.checkpoint import TrainState
from terraform.learn.weights import load, parameters_of
from terraform.storage.atomic_write import write_text

_TEMPLATE = """# Weights of run `{run}`

{synthetic}Draws imagery of 200 m pixels from relief. What it draws is plausible, not predicted.

* network `{network}`, width {width}, {values:,} values, `{encoding}` encoding at {resolution:g} m
* learnt from {pairs} pairs of {regions}; {seen} images seen of {images}
* kept because its {rule} on the validation regions was the lowest: sliced Wasserstein distance
  {swd:.1f}, mean absolute difference {l1:.1f} levels of 255
* terraform {version}

Licence: **{licence}**, the most restrictive of the sources:

{credits}
"""


def write(path: Path, weights: Path, state: TrainState, config: Config) -> None:
    """Write the card beside the weights."""
    trained = load(weights)
    made, settings = trained.provenance, trained.settings
    best = next(row for row in state.history if row.images == state.best_images and row.val_swd is not None)
    credits = "\n".join(f"* `{credit.source}`: {credit.attribution} ({credit.licence})" for credit in made.credits)
    synthetic = "**Trained on a synthetic world: nothing of it was observed.**\n\n" if made.synthetic else ""
    text = _TEMPLATE.format(
        run=config.run,
        synthetic=synthetic,
        network=settings.network,
        width=settings.width,
        values=parameters_of(trained.network),
        encoding=trained.condition.encoding,
        resolution=trained.condition.resolution_m,
        pairs=made.details["pairs"],
        regions=", ".join(made.details["regions"]),
        seen=state.best_images,
        images=settings.total_images,
        rule={"swd": "sliced Wasserstein distance", "l1": "mean absolute difference"}[settings.checkpoint_metric],
        swd=best.val_swd,
        l1=best.val_l1,
        version=made.code_version,
        licence=made.licence,
        credits=credits,
    )
    write_text(path, text)
