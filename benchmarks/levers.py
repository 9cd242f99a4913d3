"""Rows of the ablation: what is changed, one lever at a time."""

from typing import Any

from terraform.config import Condition

IMAGES, WIDTH = 1000, 16

Settings = dict[str, Any]

_COMMON: Settings = {
    "width": WIDTH, "discriminator_width": WIDTH, "total_images": IMAGES, "batch": 1, "validate_every": 250,
    "checkpoint_every": 500, "validation_pairs": 32,
}  # fmt: skip
PUBLISHED: Settings = {
    "network": "unet256", "norm": "batch", "discriminator": "patch70", "adversarial": "bce", "lambda_l1": 100,
    "lambda_feature_matching": 0, "lambda_texture": 0, "noise": 0, "ema_decay": 0,
    "base": "none", "noise_at": "last", "lambda_colour": 0,
    "learning_rate": 2e-4, "discriminator_learning_rate": 2e-4,
}  # fmt: skip
"""pix2pix as published, and the colormap of the original work."""

LADDER: tuple[tuple[str, str, Settings], ...] = (
    ("pix2pix", "pix2pix as published, relief as Turbo colours", {}),
    ("relief", "+ relief as channels", {"encoding": "relief"}),
    ("unet_fc", "+ `unet_fc`", {"network": "unet_fc"}),
    ("pixel", "+ a norm per pixel", {"norm": "pixel"}),
    (
        "rates",
        "+ an average, rates of 4e-4",
        {"learning_rate": 4e-4, "discriminator_learning_rate": 4e-4, "ema_decay": 0.98},
    ),
    ("texture", "+ texture loss and noise", {"lambda_texture": 60, "noise": 3}),
    ("all", "+ feature matching: all", {"lambda_feature_matching": 5, "lambda_l1": 60}),
)
"""One lever at a time: every row has those of the rows above it."""

_DETAIL: Settings = {"base": "added", "noise_at": "scales", "lambda_texture": 20, "lambda_colour": 40}

_AIR: Settings = {**_DETAIL, "channels": [*Condition().channels, "air_temperature"]}
"""Its pairs have the temperature of their places (`python -m terraform add-temperature`)."""

_TINTS: Settings = {**_AIR, "tints": True}
_SQUARES: Settings = {
    **_TINTS, "square_px": 128, "discriminator_sees": "detail", "lambda_l1": 20, "lambda_feature_matching": 10,
    "ema_decay": 0.995,
}  # fmt: skip
_STRONG: Settings = {**_SQUARES, "detail_gain": 1.2}
"""The recipe of the published generator."""

BESIDE: tuple[tuple[str, str, Settings], ...] = (
    ("cnn", "`cnn`, mean square error", {"network": "cnn", "norm": "batch", "discriminator": "none", "noise": 0}),
    ("l1", "`unet_fc`, L1 alone", {"discriminator": "none", "lambda_texture": 0, "noise": 0}),
    ("turbo", "all, but relief as Turbo colours", {"encoding": "turbo"}),
    ("temperature", "all + temperature of height and latitude", {"channels": [*Condition().channels, "temperature"]}),
    ("batch", "all, but batch norm", {"norm": "batch"}),
    ("renorm", "all, but batch renormalisation", {"norm": "renorm"}),
    ("scales", "all, but two scales, spectral norm, hinge", {"discriminator": "multiscale", "adversarial": "hinge"}),
    ("alone", "all, but no discriminator", {"discriminator": "none"}),
    ("vertical", "all + vertical jitter of 0.3", {"vertical_jitter": 0.3}),
    ("diffaugment", "all + shifts and holes before the discriminator", {"diffaugment": True}),
    ("base_channels", "all + base colours as three more channels", {"base": "channels"}),
    ("base", "all, added to base colours", {"base": "added"}),
    ("base_noise", "all, added to base colours, noise at every scale", {"base": "added", "noise_at": "scales"}),
    ("detail", "+ a lower weight of texture, loss of mean colours", _DETAIL),
    ("halo", "+ a halo of 32 pixels while it learns", {**_DETAIL, "halo_px": 32}),
    ("air_temperature", "without that halo, + temperature at the height of each pixel", _AIR),
    ("tints", "+ tints", _TINTS),
    ("squares", "+ squares of 128 pixels, a discriminator of the detail, a lower weight of L1", _SQUARES),
    ("strong", "+ detail drawn 1.2 times as strong: the published recipe", _STRONG),
)
"""Rows that change something of `all`."""

ORDER = (
    ("strong", 0), ("all", 0), ("base", 0), ("base_channels", 0), ("detail", 0), ("air_temperature", 0), ("tints", 0),
    ("strong", 1), ("all", 1), ("strong", 2), ("all", 2), ("squares", 0), ("halo", 0), ("base_noise", 0),
    ("temperature", 0), ("temperature", 1), ("batch", 0), ("turbo", 0), ("l1", 0), ("cnn", 0), ("scales", 0),
    ("rates", 0), ("texture", 0), ("pix2pix", 0), ("pix2pix", 1), ("unet_fc", 0), ("pixel", 0), ("relief", 0),
    ("pix2pix", 2), ("cnn", 1), ("cnn", 2), ("alone", 0), ("vertical", 0), ("turbo", 1), ("renorm", 0),
    ("diffaugment", 0),
)  # fmt: skip
"""Rows and seeds, the most telling first."""


def names() -> dict[str, tuple[str, Settings]]:
    """Every row: what it is called and its settings, those of the condition among them."""
    rows: dict[str, tuple[str, Settings]] = {}
    settings: Settings = {"encoding": "turbo", **_COMMON, **PUBLISHED}
    for name, title, lever in LADDER:
        settings = settings | lever
        rows[name] = (title, settings)
    rows |= {name: (title, settings | lever) for name, title, lever in BESIDE}
    return rows
