"""What the generator sees, and how it learns."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from terraform.config.section import Section, Share

Channel = Literal[
    "elevation", "slope", "position_2km", "position_6km", "hillshade", "sea", "sea_distance", "latitude",
    "absolute_latitude", "temperature", "air_temperature",
]  # fmt: skip


class Condition(Section):
    """What the generator sees of the relief."""

    encoding: Literal["relief", "turbo"] = "relief"
    """`turbo`: the three colours of the original work. `relief`: the named channels."""
    channels: list[Channel] = Field(
        ["elevation", "slope", "position_2km", "position_6km", "hillshade", "sea"], min_length=1, max_length=32
    )
    """Channels of `relief`, in order. Latitude, and temperature, which is of height and latitude, are climate; among a
    handful of regions they are a region's name, and its colours are learnt by heart (docs/quality.md).
    `air_temperature` is that of the year at the pixel's own height, from the observed climate of Earth, and the climate
    of the body that is drawn; pairs then need `sources.earth.planet` with elevation and temperature."""
    resolution_m: float = Field(1000.0, ge=0, le=25_000)
    """The relief is band-limited to this (full width at half maximum of a Gaussian), metres, on every body."""
    tints: bool = False
    """Base colours follow the height of each pixel within their cell, by the colours that land of such a climate has at
    other heights on Earth (`terraform.pairs.tints`): snow on summits, forest on slopes. Needs `train.base`."""
    local_time_h: float = Field(10.5, gt=6, lt=18)
    """Local solar time of the imagery at an equinox, hours; it gives the hillshade's sun. Sentinel-2 passes at 10.5."""

    @property
    def needs_climate(self) -> bool:
        """Whether a channel follows the climate of the place."""
        return self.encoding == "relief" and "air_temperature" in self.channels

    def of_learning(self) -> dict[str, Any]:
        """Collect the settings on which weights depend, as values that JSON holds."""
        chosen = self.model_dump(mode="json", exclude={"channels"} if self.encoding == "turbo" else None)
        # A setting that is not used must not make runs of before it anew.
        return {name: value for name, value in chosen.items() if name != "tints" or value}


class Train(Section):
    """How the generator learns."""

    network: Literal["cnn", "unet256", "unet_fc"] = "unet_fc"
    """The generator."""
    width: int = Field(64, ge=4, le=256)
    """Filters of the generator's first layer."""
    norm: Literal["batch", "renorm", "pixel", "instance"] = "pixel"
    """Normalisation of the generator. `pixel`: over the channels of each pixel; what learns and what draws compute the
    same. `batch`: by the batch while it learns, by running statistics when it draws, as published. `renorm`: the same,
    held to those statistics while it learns. `instance`: per picture, the original's choice for single images; no
    window then agrees with its neighbour."""
    base: Literal["none", "channels", "added"] = "none"
    """Base colours, the smooth colours of a place (`unet_fc`). `none`: the generator knows relief alone. `channels`: it
    sees them beside the relief. `added`: and what it draws is added to them."""
    discriminator: Literal["patch70", "multiscale", "none"] = "patch70"
    """`patch70`: as published. `multiscale`: two scales, with spectral norm. `none` trains on L1 alone (`cnn`: on the
    mean square)."""
    discriminator_width: int = Field(64, ge=4, le=256)
    """Filters of the discriminator's first layer."""
    discriminator_sees: Literal["picture", "detail"] = "picture"
    """`detail`: what a picture adds to its base colours, enlarged, instead of the picture; needs `base`."""
    adversarial: Literal["bce", "least_squares", "hinge"] = "bce"
    """The adversarial loss."""
    lambda_l1: float = Field(60.0, ge=0, le=1e6)
    """Weight of the L1 loss."""
    lambda_feature_matching: float = Field(5.0, ge=0, le=1e6)
    """Weight of feature matching."""
    lambda_texture: float = Field(60.0, ge=0, le=1e6)
    """Weight of the texture loss: local power in bands of frequency, as strong as in real imagery."""
    lambda_colour: float = Field(0.0, ge=0, le=1e6)
    """Weight of the loss of mean colours over 64 x 64 pixels. L1 asks for the median of what is uncertain, which is
    darker than the mean; base colours are means, so with them this keeps a generator from drifting off."""
    halo_px: int = Field(0, ge=0, le=32, multiple_of=16)
    """Pixels around each tile that the generator sees while it learns and whose picture is thrown away (`unet_fc`), so
    that it learns as mosaics draw: far from any border. At most half the margin of a tile."""
    square_px: int = Field(0, ge=0, le=4096, multiple_of=64)
    """Pictures are learnt in squares of this side, one step for each; 0: whole. Four times as many steps for the same
    work, of which a short training has too few."""
    start_from: str | None = None
    """Weights file with whose generator training starts (fine-tuning): same network and width, and its channels, to
    which others may be added. The discriminator starts anew."""
    start_share: Share = 0.0
    """Share of the weights of `start_from` in those that are drawn with; the rest is what was learnt since. Between the
    two lies what draws land that neither saw better than either (WiSE-FT, Wortsman et al. 2022)."""
    total_images: int = Field(100_000, ge=1, le=10**12)
    """Images seen in all; after raising it, `train --continue` continues a finished run."""
    batch: int = Field(4, ge=1, le=65_536)
    """Images per step."""
    learning_rate: float = Field(2e-4, gt=0, le=1)
    """Adam's learning rate of the generator; constant, then linear to zero."""
    discriminator_learning_rate: float = Field(2e-4, gt=0, le=1)
    """Adam's learning rate of the discriminator."""
    decay_start: Share = 0.5
    """Share of the training after which the rates fall."""
    ema_decay: float = Field(0.999, ge=0, lt=1)
    """Decay of the generator's moving average per step; 0 uses the last weights."""
    jitter: Literal["resize", "mirror", "none"] = "resize"
    """`resize`: to 286, crop to 256 and mirror at random, as published. `mirror`: only that."""
    vertical_jitter: float = Field(0.0, ge=0, lt=1)
    """Heights are stretched at random by up to this share, up or down, so that Mars's relief is no stranger."""
    recolour: Share = 0.04
    """Standard deviation of the constant shift by which base colours and imagery are recoloured together, a share of
    the range; only with base colours."""
    diffaugment: bool = False
    """What the discriminator sees is shifted and partly covered at random, real and generated alike; colours stay."""
    detail_gain: float = Field(1.0, ge=0.5, le=2)
    """What the generator adds to base colours (`base: added`) is drawn so many times as strong as it was learnt. On
    land that it never saw it comes out weaker than real detail; docs/quality.md says by how much."""
    noise: int = Field(3, ge=0, le=3)
    """Channels of noise that the generator sees beside the condition: white, smoothed to 2 and to 8 pixels."""
    noise_at: Literal["last", "scales"] = "last"
    """Where noise joins `unet_fc`. `last`: before the last layers, where it becomes grain. `scales`: at every scale of
    the decoder too, where it becomes fields, woods and dunes; for `base: added`, whose colours it cannot drown."""
    validate_every: int = Field(5_000, ge=1, le=10**12)
    """Images between two validations."""
    checkpoint_every: int = Field(2_000, ge=1, le=10**12)
    """Images between two saved states; a killed run goes on from the last."""
    validation_pairs: int = Field(64, ge=1, le=65_536)
    """Pairs a validation looks at, spread evenly over the held-out regions."""
    checkpoint_metric: Literal["swd", "l1"] = "swd"
    """The weights kept are those whose distance on the held-out pairs was the lowest: sliced Wasserstein or L1."""
    max_bad_steps: int = Field(10, ge=1, le=10**6)
    """Steps in a row without finite losses and gradients, each skipped, after which training stops."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """Arithmetic of the networks."""
    compile: bool = False
    """Compile the networks: a minute or more of warming up, then faster; worth it on a GPU."""
    deterministic: bool = False
    """On a GPU, the same numbers in every run, slower; on a processor it is so anyway."""
    workers: int = Field(1, ge=0, le=64)
    """Threads that read pairs ahead; 0 reads within the step. Pairs that fit on the GPU are kept there instead."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to train."""
    gpus: int = Field(1, ge=1, le=64)
    """GPUs of one machine that learn together, each with a part of every batch in a process of its own, which the
    workflow starts with torchrun; with `device: cpu`, processes."""
    tensorboard: bool = False
    """Write the history and the samples for TensorBoard too, into `tensorboard/` beside the weights; needs the extra
    `board`."""

    ONLY_HOW: ClassVar = frozenset({"device", "gpus", "checkpoint_every", "workers", "max_bad_steps", "tensorboard"})
    """Settings that say how, not what: the weights are the same."""

    def of_learning(self) -> dict[str, Any]:
        """Collect the settings on which weights depend, as values that JSON holds."""
        chosen = self.model_dump(mode="json", exclude=set(self.ONLY_HOW))
        # A setting that is not used must not make runs of before it anew.
        unused = {
            "start_from": None, "start_share": 0.0, "halo_px": 0, "square_px": 0, "discriminator_sees": "picture",
            "detail_gain": 1.0,
        }  # fmt: skip
        return {name: value for name, value in chosen.items() if name not in unused or value != unused[name]}
