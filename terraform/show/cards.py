"""Cards in Hugging Face's format: of a trained generator beside its weights, of a region's pairs beside them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from terraform.config import Config, Train
from terraform.learn.runtime.checkpoint import Row, TrainState
from terraform.learn.weights import TrainedGenerator, load, parameters_of
from terraform.pairs.store import Pairs, open_pairs
from terraform.provenance import Provenance
from terraform.storage.atomic_write import write_text
from terraform.storage.hashing import sha256_of

_MODEL = """# Weights of run `{run}`

{synthetic}Draws imagery of {pixel:g} m pixels from relief. What it draws is **plausible, not predicted**.

## Model details

* network `{network}`, width {width}, {values:,} values; sha256 `{digest}`
* sees `{encoding}` encoding of relief at {resolution:g} m: {channels}; base colours: {base}; noise: {noise} channels
* made by terraform {version}

## Uses

Pictures of how land of such relief could look: art with a scientific backbone, on Earth, Mars or any body with a raster
of heights. Not for maps, measurements or decisions about real places: no field, town or river that it draws is there.

## How to get started

```
python -m terraform generate --weights weights.safetensors --elevation ANY.tif --output OUT.tif
```

## Training

* learnt from {pairs} pairs of {regions}; {seen} images seen of {images}{start}
* losses: L1 x {lambda_l1:g}, texture x {lambda_texture:g}, feature matching x {lambda_feature_matching:g}
* discriminator `{discriminator}` of the {discriminator_sees}; learning rate {learning_rate:g}, batch {batch}
* {seconds:.0f} seconds

## Evaluation

Kept because its {rule} on the validation regions was the lowest: sliced Wasserstein distance {swd:.1f}, mean absolute
difference {l1:.1f} levels of 255. These pairs chose the weights; `evaluate` judges on others, beside straw men and real
imagery.

## Limitations

It knows the climates and the relief of the regions above; beyond them colours are guesses. Relief is limited to
{resolution:g} m before it is seen. What it learnt from is one cloud-free mosaic: no seasons, no weather.

## Licence and attribution

Licence: **{licence}**, the most restrictive of the sources:

{credits}
"""

_PAIRS = """# Pairs of `{region}`

{synthetic}{count} pairs of elevation and imagery: squares of {side:g} km, {tile} x {tile} pixels of {pixel:g} m.

## Structure

| file | holds |
|---|---|
| `elevation.npy` | int16 metres, sea -32767, void -32768, (N, {margin}, {margin}): {margin_px} px more on each side |
| `imagery.npy` | uint8 red, green, blue, (N, {tile}, {tile}, 3); black is void |
| `base.npy` | base colours of land and of sea, uint8 {base} each: smooth colours of the imagery |
| `tiles.npy`, `tiles.parquet` | place of each pair: row, column, shares of void and sea, bounds in degrees |
| `provenance.json` | sources, licence, version, settings |

Row 0 is north. A square is true on the sphere: each row of squares has its own width in degrees.

## Statistics

| pairs | sea | without data | south | north | west | east |
|---|---|---|---|---|---|---|
| {count} | {sea:.1%} | {void:.1%} | {south:.2f} | {north:.2f} | {west:.2f} | {east:.2f} |

## How it was made

Cut by terraform {version} from rasters of the region on {created}; squares with too much void, sea or cloud were left
out (`pairs` of the configuration). Whether the region is for training, validation or test, the configuration says: what
shares ground with a validation or test region must not be trained on.

## Limitations

One cloud-free mosaic, no seasons; colours are for eyes, not reflectances. Cities, fields and roads are in the imagery
and not in the relief.

## Licence and attribution

Licence: **{licence}**, the most restrictive of the sources:

{credits}
"""

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_TAGS = ["terrain", "elevation", "satellite-imagery", "pix2pix", "image-to-image"]


def write(path: Path, weights: Path, state: TrainState, config: Config) -> None:
    """Write the card of a generator beside its weights."""
    trained = load(weights)
    best = next(row for row in state.history if row.images == state.best_images and row.val_swd is not None)
    made, settings = trained.provenance, trained.settings
    channels = trained.condition.channels if trained.condition.encoding == "relief" else ["turbo"]
    text = _MODEL.format(
        **settings.model_dump(include={
            "network", "width", "noise", "lambda_l1", "lambda_texture", "lambda_feature_matching",
            "discriminator", "discriminator_sees", "learning_rate", "batch",
        }),
        run=config.run,
        synthetic=_synthetic(made, "Trained on"),
        pixel=trained.spec.pixel_m,
        values=parameters_of(trained.network),
        digest=sha256_of(weights),
        encoding=trained.condition.encoding,
        resolution=trained.condition.resolution_m,
        channels=", ".join(channels),
        base=f"`{settings.base}`{', with tints' * trained.condition.tints}",
        pairs=made.details["pairs"],
        regions=", ".join(made.details["regions"]),
        seen=state.best_images,
        images=settings.total_images,
        start=_start(settings),
        seconds=state.seconds,
        rule={"swd": "sliced Wasserstein distance", "l1": "mean absolute difference"}[settings.checkpoint_metric],
        swd=best.val_swd,
        l1=best.val_l1,
        version=made.code_version,
        licence=made.licence,
        credits=_credits(made),
    )  # fmt: skip
    write_text(path, _front_matter(_model_matter(config, trained, best)) + text)


def _start(settings: Train) -> str:
    squares = f", in squares of {settings.square_px} pixels" if settings.square_px else ""
    start = f"; it started from the generator of `{settings.start_from}`" if settings.start_from else ""
    share = f", of which it keeps the share {settings.start_share:g}" if settings.start_share else ""
    gain = f"; detail is drawn {settings.detail_gain:g} times as strong" if settings.detail_gain != 1 else ""
    return squares + start + share + gain


def _model_matter(config: Config, trained: TrainedGenerator, best: Row) -> dict[str, Any]:
    scores = {"l1": ("mean absolute difference, levels of 255", best.val_l1),
              "swd": ("sliced Wasserstein distance", best.val_swd)}  # fmt: skip
    metrics = [{"type": kind, "name": name, "value": value} for kind, (name, value) in scores.items()]
    regions = ", ".join(config.split.validation) or "the validation regions"
    result = {
        "task": {"type": "image-to-image"},
        "dataset": {"name": f"pairs of {regions} (chose the weights)", "type": "terraform-pairs"},
        "metrics": metrics,
    }
    tags = [*_TAGS, trained.settings.network, *(["synthetic"] if trained.provenance.synthetic else [])]
    return {
        **_licence(trained.provenance), "library_name": "pytorch", "pipeline_tag": "image-to-image", "tags": tags,
        "model-index": [{"name": config.run, "results": [result]}],
    }  # fmt: skip


def write_of_pairs(path: Path, folder: Path) -> None:
    """Write the card of a region's pairs.

    Raises
    ------
    InputError
        The pairs are missing or damaged.
    """
    pairs = open_pairs(folder)
    made, spec, tiles = pairs.provenance, pairs.spec, pairs.tiles
    text = _PAIRS.format(
        region=pairs.region,
        synthetic=_synthetic(made, "Cut from"),
        count=len(pairs),
        side=spec.tile_m / 1000,
        tile=spec.tile_px,
        pixel=spec.pixel_m,
        margin=spec.side_px,
        margin_px=spec.margin_px,
        base=spec.base_shape,
        **{name: _mean(tiles[name]) for name in ("sea", "void")},
        **{name: _least(tiles[name]) for name in ("south", "west")},
        **{name: -_least(-tiles[name]) for name in ("north", "east")},
        version=made.code_version,
        created=made.created.partition("T")[0],
        licence=made.licence,
        credits=_credits(made),
    )
    write_text(path, _front_matter(_data_matter(pairs)) + text)


def _data_matter(pairs: Pairs) -> dict[str, Any]:
    size = next((name for most, name in _SIZES if len(pairs) < most), "n>1M")
    tags = [*_TAGS, *(["synthetic"] if pairs.provenance.synthetic else [])]
    return {
        **_licence(pairs.provenance), "pretty_name": f"Elevation and imagery of {pairs.region}",
        "task_categories": ["image-to-image"], "size_categories": [size], "tags": tags,
    }  # fmt: skip


def _mean(values: Any) -> float:
    return float(np.mean(values, dtype=np.float64)) if len(values) else 0.0


def _least(values: Any) -> float:
    return float(values.min()) if len(values) else 0.0


def _licence(made: Provenance) -> dict[str, str]:
    """Name a licence as Hugging Face does: its own lower-case name, or `other` with the name in full."""
    if made.licence.startswith("LicenseRef-"):
        name = made.licence.removeprefix("LicenseRef-").lower()
        return {"license": "other", "license_name": name, "license_link": "#licence-and-attribution"}
    return {"license": made.licence.lower()}


def _synthetic(made: Provenance, how: str) -> str:
    return f"**{how} a synthetic world: nothing of it was observed.**\n\n" if made.synthetic else ""


def _credits(made: Provenance) -> str:
    return "\n".join(f"* `{credit.source}`: {credit.attribution} ({credit.licence})" for credit in made.credits)


def _front_matter(told: Mapping[str, Any]) -> str:
    return "---\n" + yaml.safe_dump(dict(told), sort_keys=False, allow_unicode=True, width=1000) + "---\n\n"
