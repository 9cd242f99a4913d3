"""How a generator is judged."""

from pydantic import Field

from terraform.config.section import Name, Section


class Evaluation(Section):
    """How a generator is judged."""

    pairs: int = Field(150, ge=2, le=10_000)
    """Pairs of each role that are judged, spread evenly over its regions."""
    rivals: dict[Name, str] = {}
    """Other generators to judge beside it, by name: weights files that `train` wrote, such as `cnn` or pix2pix as
    published (`unet256`)."""
    seeds: list[str] = []
    """Weights files of the same recipe that learnt with other seeds: what is said of `generated` is then the mean over
    all of them, with the range between them."""
    encoder: str | None = None
    """Weights of the encoder of kernel distances (`publish-encoder`), or `own`: one that learns from the training
    pairs. By default the published one, models/encoder.safetensors, where pairs are of real imagery, and else `own`."""
    mosaics: bool = True
    """Judge the mosaics of Mars too; the workflow then draws them first."""
    judge_steps: int = Field(250, ge=1, le=100_000)
    """Steps that each of the two judging networks learns, an own encoder of the kernel distance and the reader of
    relief: once for the same training pairs."""
