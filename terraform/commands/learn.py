"""From pairs to a generator: train, evaluate; to hand it on: publish-generator, export-onnx; networks, the encoder."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from terraform.commands.options import AsJson, Configs, Folders, Output, Tints, Weights, by_role, configured

if TYPE_CHECKING:
    from terraform.config import Config
    from terraform.evaluation.mars.judge import Drawn
    from terraform.pairs.tints import TintMap


def train(
    pairs: Folders,
    output: Output,
    config: Configs = None,
    resume: Annotated[bool, typer.Option(help="Resume from the saved state, or fail where it does not fit.")] = False,
    longer: Annotated[
        bool,
        typer.Option(
            "--continue",
            help="After train.total_images was raised: continue the finished run, or fail.",
        ),
    ] = False,
    tints: Tints = None,
) -> None:
    """Train a generator on pairs.

    Writes weights.safetensors, history.csv, regions.csv, samples.png, losses.png, card.md and states. The settings are
    those under `train` in the configuration; terraform/config gives each with its unit and range. A run
    that was stopped resumes from its last state when the same command is given again. `train.tensorboard: true` writes
    for TensorBoard too (extra `board`). Several GPUs or processes:
    `torchrun --standalone --nproc-per-node N -m terraform train ...`; `train.batch` is then that of all together.

    Exit codes: 2 configuration, 3 pairs, 5 memory, disk or a folder in use, 6 losses that stay infinite, 130 and 143
    stopped by Ctrl-C or SIGTERM after saving.
    """
    from terraform.learn import train as learning
    from terraform.learn.runtime import distributed as processes
    from terraform.learn.runtime import keeping
    from terraform.learn.runtime.malloc import keep_freed
    from terraform.show import boards

    keep_freed()
    settings = configured(config)
    folders = by_role(settings, pairs)
    watch = boards.of_training(output, settings.sheet.high_m, settings.train.tensorboard)
    known = _tints(tints)
    if longer:
        _carry_over(output, settings, folders, known, processes.is_first())
    if processes.is_first():
        _keep_earlier(output)
    state = learning.train(folders, output, settings, resume, watch, known)
    if processes.is_first():
        boards.card(output, state, settings)
        keeping.drop_earlier(output)


def _tints(path: Path | None) -> "TintMap | None":
    """Read tints of the Earth, of which all pairs are."""
    if path is None:
        return None
    from terraform.geo.bodies import EARTH
    from terraform.planet.tints import read_tints

    return read_tints(path, EARTH)


def _carry_over(
    output: Path, settings: "Config", folders: dict[str, list[Path]], tints: "TintMap | None", first: bool
) -> None:
    """Carry the state of a shorter run over; of several processes the first does, and all refuse what cannot be."""
    from terraform.learn.data.dataset import by_role as collections
    from terraform.learn.fingerprint import carry_over, run_fingerprint

    identity = run_fingerprint(settings, collections(folders, settings.condition.needs_climate, tints))
    seen = carry_over(output, identity, writes=first)
    if seen and first:
        typer.echo(
            f"continued from {seen:,} images; the learning rates follow the schedule of {settings.train.total_images:,}"
        )


def _keep_earlier(output: Path) -> None:
    from terraform.learn.runtime import keeping

    kept = keeping.keep_earlier(output)
    if kept is not None:
        typer.echo(f"the weights of the last finished run are kept in {kept} until new ones are published")


def evaluate(
    weights: Weights,
    pairs: Folders,
    output: Output,
    config: Configs = None,
    base: Annotated[
        Path | None, typer.Option(help="Base colours of the whole body; by default the smooth colours of the pairs.")
    ] = None,
    mosaic: Annotated[
        list[Path] | None, typer.Option(help="A mosaic of Mars, terraformed.tif, to be judged too; may be repeated.")
    ] = None,
    relief: Annotated[
        list[Path] | None, typer.Option(help="The heights that each mosaic was drawn from, in the same order.")
    ] = None,
    mars_climate: Annotated[Path | None, typer.Option(help="Climate of Mars: simulate-climate.")] = None,
    earth_climate: Annotated[Path | None, typer.Option(help="Climate of Earth, to compare with.")] = None,
    tints: Tints = None,
    as_json: AsJson = False,
) -> None:
    """Judge a trained generator on held-out pairs, and without truth on mosaics of Mars (docs/evaluation.md).

    Writes metrics.json, metrics.csv and boards/, and what the two judging networks learnt; a second evaluation of the
    same training pairs reads that. `--json` prints metrics.json at the end.
    """
    from terraform.evaluation import evaluate as judging
    from terraform.geo.bodies import EARTH
    from terraform.show import boards

    settings = configured(config, required=False)
    watch = boards.of_evaluation(output / "boards", settings.sheet.high_m)
    planet = None
    if base is not None:
        from terraform.mosaic.base.choice import tints_beside
        from terraform.mosaic.base.reading import read_base

        planet = read_base(base, EARTH)  # the only body of which there is imagery to judge against
        tints = tints or tints_beside(base)
    drawn = _mars(mosaic or [], relief or [], mars_climate, earth_climate)
    judging.evaluate(weights, by_role(settings, pairs), output, settings, watch, planet, drawn, _tints(tints))
    if as_json:
        typer.echo((output / "metrics.json").read_text(encoding="utf-8").rstrip())


def _mars(mosaics: list[Path], reliefs: list[Path], mars: Path | None, earth: Path | None) -> "Drawn | None":
    """Name what was drawn on Mars; nothing was where there are no mosaics."""
    from terraform.errors import ConfigError
    from terraform.evaluation.mars.judge import Drawn
    from terraform.evaluation.mars.tiles import Mosaic

    if len(mosaics) != len(reliefs):
        raise ConfigError(
            f"given {len(mosaics)} --mosaic and {len(reliefs)} --relief: give the heights of each, in order"
        )
    if (mars is None) != (earth is None):
        raise ConfigError("give both --mars-climate and --earth-climate, or neither")
    if not mosaics:
        return None
    drawn = [Mosaic(picture.parent.name, picture, heights) for picture, heights in zip(mosaics, reliefs, strict=True)]
    return Drawn(drawn, None if mars is None or earth is None else (mars, earth))


def draw_networks(output: Output, config: Configs = None) -> None:
    """Draw every generator and discriminator as SVG into a folder; needs the extra `drawings` and Graphviz."""
    from terraform.pairs.relief import channels_of
    from terraform.show import networks

    settings = configured(config, required=False)
    for path in networks.draw(output, channels_of(settings.condition), settings.train):
        typer.echo(path)


def export_onnx(weights: Weights, output: Output) -> None:
    """Write a trained generator as ONNX, compared with the original; needs the extra `onnx`.

    Input `seen`: condition and noise, (N, C, H, W); output `colours`: (N, 3, H, W) in [-1, 1]. How the condition is
    made, licence and attribution are in its metadata.
    """
    from terraform.learn import onnx

    difference = onnx.export(weights, output)
    typer.echo(f"{output}: differs by at most {difference:.2g} levels of 255 from {weights}")


def publish_generator(
    weights: Weights,
    output: Output,
    made_by: Annotated[str, typer.Option(help="How it was trained, for the card.")] = "make models-generator",
) -> None:
    """Write a trained generator in half precision, to be handed on, and its card into README.md beside it."""
    from terraform.learn import publish as publishing

    difference = publishing.publish(weights, output, made_by)
    typer.echo(f"{output}: {output.stat().st_size / 1e6:.1f} MB, differs by at most {difference:.2g} levels of 255")


def publish_encoder(
    pairs: Folders,
    output: Annotated[Path, typer.Option(help="A weights file.")] = Path("models/encoder.safetensors"),
    config: Configs = None,
    steps: Annotated[int, typer.Option(min=1, help="Steps that it learns.")] = 600,
    made_by: Annotated[str, typer.Option(help="The command, for the card.")] = "make models-encoder",
) -> None:
    """Train the encoder of kernel distances on pairs of training regions, to be handed on, with a card in README.md."""
    from terraform.errors import ConfigError
    from terraform.evaluation.judges import published
    from terraform.learn.data.dataset import by_role as collections

    settings = configured(config, required=False)
    training = collections(by_role(settings, pairs)).get("train")
    if training is None:
        raise ConfigError("none of these pairs is of a region with the role train: name some that are")
    published.publish(training, output, steps, settings.seed, made_by)
    regions = ", ".join(region.region for region in training.regions)
    typer.echo(f"{output}: {output.stat().st_size / 1e6:.2f} MB, learnt from {regions}")
