"""The published encoder, which learnt from real training tiles: by it, kernel distances of all runs compare."""

from pathlib import Path

from safetensors import SafetensorError, safe_open

from terraform import provenance
from terraform.errors import InputError
from terraform.evaluation.judges.encoder import Encoder, encoder_of
from terraform.evaluation.judges.learning import Lesson, lesson_of
from terraform.evaluation.schema import EncoderUsed
from terraform.learn.data.dataset import Collection
from terraform.storage.hashing import sha256_of
from terraform.storage.models import published
from terraform.storage.sections import MODELS_TITLE, replace_sections

ENCODER = "encoder.safetensors"
OWN = "own"

_CARD = """## {name}

The encoder of the evaluation's kernel distance (docs/evaluation.md). It learnt by contrast which crops are of one tile,
and a sharp picture from a soft; its numbers are no FID and no KID.

* made by `{made_by}` from {pairs} pairs of {regions}, {steps} steps of 24 tiles
* {size:,} bytes, sha256 `{digest}`
* licence: **{licence}**, the most restrictive of the sources:
{credits}
"""


def choose_encoder(chosen: str | None, training: Collection) -> Path | None:
    """Choose the encoder's file: what was named, or the published one where training saw real imagery.

    Returns
    -------
    Path or None
        None: an encoder of the pairs' own is trained.

    Raises
    ------
    InputError
        What was named does not exist.
    """
    if chosen == OWN:
        return None
    if chosen is not None:
        if not Path(chosen).is_file():
            raise InputError(f"evaluation.encoder: {chosen} does not exist: name a weights file, or `{OWN}`")
        return Path(chosen)
    return None if training.provenance.synthetic else published(ENCODER)


def read_encoder(path: Path) -> tuple[Encoder, EncoderUsed]:
    """Read an encoder, and what is to be said of it.

    Raises
    ------
    InputError
        It is no encoder of this version.
    """
    encoder = Encoder()
    try:
        with safe_open(path, "pt") as file:
            encoder.load_state_dict({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
            made = provenance.from_json((file.metadata() or {})["provenance"])
    except (OSError, SafetensorError, RuntimeError, KeyError, ValueError) as error:
        raise InputError(
            f"{path} is no encoder that `publish-encoder` wrote ({str(error).splitlines()[0][:200]}): name another, or "
            f"set evaluation.encoder to `{OWN}`"
        ) from None
    return encoder.eval(), described(path, made)


def described(path: Path, made: provenance.Provenance) -> EncoderUsed:
    """Describe an encoder's file."""
    return EncoderUsed(sha256=sha256_of(path), regions=list(made.details.get("regions", [])))


def publish(training: Collection, output: Path, steps: int, seed: int, made_by: str) -> None:
    """Train an encoder, write it and its card into `README.md` beside it.

    Parameters
    ----------
    training : Collection
    output : Path
    steps, seed : int
    made_by : str
        The command, for the card.
    """
    lesson: Lesson = lesson_of(training)
    encoder_of(output, training, lesson, steps, seed)
    made = training.provenance
    section = _CARD.format(
        name=output.name, made_by=made_by, pairs=len(lesson.imagery), regions=", ".join(made.details["regions"]),
        steps=steps, size=output.stat().st_size, digest=sha256_of(output), licence=made.licence,
        credits="\n".join(f"  * {credit.attribution} ({credit.licence})" for credit in made.credits),
    )  # fmt: skip
    replace_sections(output.with_name("README.md"), MODELS_TITLE, {output.name: section})
