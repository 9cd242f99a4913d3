"""The configuration: every setting with its default, unit and range; the one place where these stand."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from terraform.errors import ConfigError

SLUG = r"^[a-z0-9][a-z0-9_-]{0,63}$"
Name = Annotated[str, Field(pattern=SLUG, coerce_numbers_to_str=True)]
Share = Annotated[float, Field(ge=0, le=1)]
Channel = Literal[
    "elevation", "slope", "position_2km", "position_6km", "hillshade", "sea", "sea_distance", "latitude",
    "absolute_latitude", "temperature",
]  # fmt: skip


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)


class Downloads(_Section):
    """How remote services are asked. Each source says for itself where it is."""

    cache: str = "resources/cache"
    """Folder of what was fetched; regions share it, and so may runs."""
    lock: str = "sources.lock.json"
    """File with the versions of fixed files: what changes at its source is refused until it is accepted."""
    contact: str = Field("", pattern=r"^[^\r\n]{0,100}$")
    """An address or page to put into the User-Agent, so that an operator can reach you."""
    connect_timeout_s: float = Field(10, gt=0)
    """Longest wait for a connection, seconds."""
    read_timeout_s: float = Field(60, gt=0)
    """Longest silence of a service, seconds."""
    deadline_s: float = Field(300, gt=0)
    """Longest time for one request with all its attempts, seconds; large ones get more, by `slowest_bytes_per_s`."""
    slowest_bytes_per_s: float = Field(20_000, gt=0)
    """What comes more slowly than this in the long run is given up."""
    attempts: int = Field(6, ge=1, le=20)
    """Attempts before a request is given up."""
    backoff_s: float = Field(1.0, ge=0)
    """Bound of the first pause between two attempts, seconds; it doubles, and the pause is drawn below it."""
    longest_wait_s: float = Field(120, ge=0)
    """Longest Retry-After that is waited for, seconds; a service that asks for more ends the run, to be resumed."""


class Regions(_Section):
    """Which polygons to use."""

    file: str = "regions.geojson"
    """GeoJSON file with the regions, relative to the working folder."""
    include: list[Name] | None = None
    """Names of the regions to use; all of the file when null."""


class Split(_Section):
    """Roles that override those of the regions file."""

    train: list[Name] = []
    """Regions to learn from."""
    validation: list[Name] = []
    """Regions on which the best weights are chosen; never trained on."""
    test: list[Name] = []
    """Regions on which the result is judged once; never trained on, never used to choose."""


class SampleSource(_Section):
    """The embedded synthetic world: offline, deterministic, nothing of it was observed."""

    source: Literal["sample"] = "sample"
    """Name of the source."""


class FilesSource(_Section):
    """One's own rasters."""

    source: Literal["files"]
    """Name of the source."""
    path: str | list[str]
    """A file, a folder, or a list of them, finest first, the next fills; `{region}` and `{rasters}` are replaced."""
    nodata_means: Literal["sea", "void"] = "void"
    """What missing elevation stands for."""
    nodata: float | None = None
    """The missing value, when the file does not say it."""
    crs: str | None = None
    """CRS of the file, when it does not say it."""
    licence: str = "LicenseRef-Unknown"
    """SPDX identifier; an unknown licence counts as the most restrictive."""
    attribution: str = "own rasters"
    """Text to show with whatever is derived from them."""


class RemoteSource(_Section):
    """A source that is fetched over the network. What is here says how, never what: it changes no result."""

    source: str
    """Name of the source."""
    base_url: str
    """Where it is. A mirror of your own may be http:// and in a private network."""
    hosts: list[str] = []
    """Hosts from which it may come, redirects included, by https."""
    connections: int = Field(8, ge=1, le=16)
    """Connections to a host at a time."""


class OpenTopographySource(RemoteSource):
    """SRTM GL1, 30 m, without an account: tiles of the public bucket of OpenTopography."""

    source: Literal["opentopography"]
    """Name of the source."""
    base_url: str = "https://opentopography.s3.sdsc.edu/raster"
    """Where it is."""
    hosts: list[str] = ["opentopography.s3.sdsc.edu"]
    """Hosts from which it may come."""


class CopernicusSource(RemoteSource):
    """Copernicus GLO-30, and GLO-90 where GLO-30 is not public, without an account."""

    source: Literal["copernicus"]
    """Name of the source."""
    base_url: str = "https://copernicus-dem-30m.s3.amazonaws.com"
    """Where GLO-30 is."""
    coarse_url: str = "https://copernicus-dem-90m.s3.amazonaws.com"
    """Where GLO-90 is."""
    hosts: list[str] = ["copernicus-dem-30m.s3.amazonaws.com", "copernicus-dem-90m.s3.amazonaws.com"]
    """Hosts from which it may come."""


class TerrariumSource(RemoteSource):
    """AWS Terrain Tiles, many sources in one; below sea level counts as sea."""

    source: Literal["terrarium"]
    """Name of the source."""
    base_url: str = "https://s3.amazonaws.com/elevation-tiles-prod/terrarium"
    """Where it is."""
    hosts: list[str] = ["s3.amazonaws.com"]
    """Hosts from which it may come."""
    zoom: int = Field(10, ge=0, le=13)
    """Zoom level; 10 has pixels of 153 m on the equator."""


class Mosaic120Source(RemoteSource):
    """The Sentinel-2 L2A 120 m mosaic, CC BY 4.0: reflectance, drawn by a stretch of our own."""

    source: Literal["s2mosaic120"]
    """Name of the source."""
    base_url: str = "https://sentinel-s2-l2a-mosaic-120.s3.amazonaws.com"
    """Where it is."""
    hosts: list[str] = ["sentinel-s2-l2a-mosaic-120.s3.amazonaws.com"]
    """Hosts from which it may come."""
    date: str = Field("2019-07-10", pattern=r"^20(19|20)-\d{2}-\d{2}$")
    """First day of one of the mosaic's periods of ten days."""
    white_reflectance: float = Field(0.45, gt=0, le=1)
    """Reflectance that becomes 255; deserts reach it, snow and cloud lie beyond."""
    gamma: float = Field(1.8, ge=1, le=3)
    """Exponent of the stretch: 1 is linear, more brightens forests."""


class MolaSource(RemoteSource):
    """MOLA: the global mosaic of 463 m, or the archive's 128 pixels a degree between 88 N and 88 S."""

    source: Literal["mola"]
    """Name of the source."""
    product: Literal["463m", "128ppd"] = "463m"
    """Which of them."""
    base_url: str = "https://asc-pds-services.s3.us-west-2.amazonaws.com/mosaic"
    """Where the mosaic of 463 m is."""
    archive_url: str = "https://pds-geosciences.wustl.edu/mgs/mgs-m-mola-5-megdr-l3-v1/mgsl_300x/meg128"
    """Where the tiles of 128 pixels a degree are."""
    hosts: list[str] = [
        "asc-pds-services.s3.us-west-2.amazonaws.com",
        "planetarymaps.usgs.gov",
        "pds-geosciences.wustl.edu",
    ]
    """Hosts from which it may come."""


class HrscMolaSource(RemoteSource):
    """The HRSC-MOLA blend, 200 m: rows of a window, or for much of the planet the whole file (11.4 GB) once."""

    source: Literal["hrsc_mola"]
    """Name of the source."""
    base_url: str = "https://asc-pds-services.s3.us-west-2.amazonaws.com/mosaic/Mars/HRSC_MOLA_Blend"
    """Where it is."""
    hosts: list[str] = ["asc-pds-services.s3.us-west-2.amazonaws.com", "planetarymaps.usgs.gov"]
    """Hosts from which it may come."""
    connections: int = Field(16, ge=1, le=24)
    """Connections to a host at a time: a window is one small request a row."""


class S2CloudlessSource(RemoteSource):
    """Sentinel-2 cloudless by EOX, one mosaic a year, by WMS. Of 2016 on CC BY 4.0, later CC BY-NC-SA 4.0."""

    source: Literal["s2cloudless"]
    """Name of the source."""
    base_url: str = "https://tiles.maps.eox.at/wms"
    """Where its WMS is; https://s2maps-tiles.eu/wms is EOX's own mirror."""
    hosts: list[str] = ["tiles.maps.eox.at", "a.tiles.maps.eox.at", "s2maps-tiles.eu"]
    """Hosts from which it may come."""
    connections: int = Field(2, ge=1, le=8)
    """Connections to a host at a time: EOX publishes no limit, so be modest."""
    year: int = Field(2020, ge=2016, le=2025)
    """Year of the mosaic."""
    version: Literal["1.1.1", "1.3.0"] = "1.1.1"
    """WMS version; 1.3.0 takes latitude before longitude."""
    request_px: int = Field(1024, ge=128, le=2048)
    """Largest side of a picture, pixels."""
    licence: str | None = None
    """SPDX identifier, where you hold another licence than the public one; by default that of the year."""
    attribution: str | None = None
    """Text to show; by default that of the year."""


class EarthEngineSource(RemoteSource):
    """Elevation models by Earth Engine. Credentials and project come from the environment, never from here."""

    source: Literal["earthengine"]
    """Name of the source."""
    asset: Literal["USGS/SRTMGL1_003", "NASA/NASADEM_HGT/001", "COPERNICUS/DEM/GLO30_2024_1"] = "USGS/SRTMGL1_003"
    """The elevation model. SRTM and NASADEM reach from 56 S to 60 N."""
    base_url: str = "https://earthengine-highvolume.googleapis.com"
    """Where Earth Engine is."""
    hosts: list[str] = [
        "earthengine-highvolume.googleapis.com",
        "oauth2.googleapis.com",
        "sts.googleapis.com",
        "iamcredentials.googleapis.com",
    ]
    """Hosts that may be reached: the service, and where Google signs in."""
    connections: int = Field(8, ge=1, le=40)
    """Requests at a time; a project may have 40."""
    window_px: int = Field(256, ge=32, le=2048)
    """Largest side of a request, pixels; 2,048 make 17 of the 48 MB that are allowed."""


AnySource = Annotated[
    SampleSource
    | FilesSource
    | OpenTopographySource
    | CopernicusSource
    | TerrariumSource
    | Mosaic120Source
    | S2CloudlessSource
    | EarthEngineSource
    | MolaSource
    | HrscMolaSource,
    Field(discriminator="source"),
]
"""Every source, by its name: that of its module in `terraform.sources`."""

SOURCES: tuple[str, ...] = tuple(
    get_args(of.model_fields["source"].annotation)[0] for of in get_args(get_args(AnySource)[0])
)
"""Their names."""


class EarthSources(_Section):
    """Where Earth comes from."""

    elevation: AnySource = SampleSource()
    """Heights."""
    imagery: AnySource = SampleSource()
    """Colours."""


class MarsSources(_Section):
    """Where Mars comes from."""

    elevation: AnySource = SampleSource()
    """Heights."""


class Sources(_Section):
    """The upstream data of each body."""

    earth: EarthSources = EarthSources()
    """Earth."""
    mars: MarsSources = MarsSources()
    """Mars."""


class Pairs(_Section):
    """Which pairs of elevation and imagery are kept."""

    max_void: Share = 0.1
    """Largest share of a tile without elevation or imagery."""
    max_sea: Share = 0.8
    """Largest share of sea."""
    max_cloud: Share = 0.5
    """Largest share of white, structureless imagery (cloud; bright snow has texture and passes)."""


class Sheet(_Section):
    """The pair sheet that people look at, and the range of the `turbo` encoding."""

    low_m: float = 0.0
    """Height of the colormap's first colour, metres; below it is white."""
    high_m: float = 9000.0
    """Height of the colormap's last colour, metres."""
    pairs: int = Field(24, ge=1, le=400)
    """Pairs shown, spread evenly over the region."""


class Condition(_Section):
    """What the generator sees of the relief."""

    encoding: Literal["relief", "turbo"] = "relief"
    """`turbo`: the three colours of the original work. `relief`: the named channels."""
    channels: list[Channel] = ["elevation", "slope", "position_2km", "position_6km", "hillshade", "sea", "temperature"]
    """Channels of `relief`, in order. Temperature, of height and latitude, is climate; latitude itself is, among few
    regions, a region's name."""
    resolution_m: float = Field(1000.0, ge=0)
    """The relief is band-limited to this (full width at half maximum of a Gaussian), metres, on every body."""
    local_time_h: float = Field(10.5, gt=6, lt=18)
    """Local solar time of the imagery at an equinox, hours; it gives the hillshade's sun. Sentinel-2 passes at 10.5."""


class Train(_Section):
    """How the generator learns."""

    network: Literal["cnn", "unet256", "unet_fc"] = "unet_fc"
    """The generator."""
    width: int = Field(64, ge=4, le=256)
    """Filters of the generator's first layer."""
    norm: Literal["batch", "renorm", "pixel", "instance"] = "batch"
    """Normalisation of the generator. `batch`: by running statistics, as deployed; on land that training never saw its
    colours held best (docs/quality.md). `renorm`: the same, held to those statistics while it learns. `pixel`: over the
    channels of each pixel; absolute height counts, as in the synthetic world. `instance`: per picture, the original's
    choice for single images; no window then agrees with its neighbour."""
    discriminator: Literal["patch70", "multiscale", "none"] = "multiscale"
    """`none` trains on L1 alone (`cnn`: on the mean square)."""
    discriminator_width: int = Field(64, ge=4, le=256)
    """Filters of the discriminator's first layer."""
    adversarial: Literal["bce", "least_squares", "hinge"] = "hinge"
    """The adversarial loss."""
    lambda_l1: float = Field(60.0, ge=0)
    """Weight of the L1 loss."""
    lambda_features: float = Field(5.0, ge=0)
    """Weight of feature matching."""
    lambda_texture: float = Field(24.0, ge=0)
    """Weight of the texture loss: local power in bands of frequency, as strong as in real imagery."""
    images: int = Field(100_000, ge=1)
    """Images seen in all."""
    batch: int = Field(4, ge=1)
    """Images per step."""
    rate: float = Field(2e-4, gt=0)
    """Adam's learning rate of the generator; constant, then linear to zero."""
    discriminator_rate: float = Field(2e-4, gt=0)
    """Adam's learning rate of the discriminator."""
    decay_from: Share = 0.5
    """Share of the training after which the rates fall."""
    average: float = Field(0.999, ge=0, lt=1)
    """Decay of the generator's moving average per step; 0 uses the last weights."""
    jitter: Literal["resize", "mirror", "none"] = "resize"
    """`resize`: to 286, crop to 256 and mirror at random, as published. `mirror`: only that."""
    vertical_jitter: float = Field(0.0, ge=0, lt=1)
    """Heights are stretched at random by up to this share, up or down, so that Mars's relief is no stranger."""
    diffaugment: bool = False
    """What the discriminator sees is shifted and partly covered at random, real and generated alike; colours stay."""
    noise: int = Field(3, ge=0, le=3)
    """Channels of noise that the generator sees beside the condition: white, smoothed to 2 and to 8 pixels."""
    validate_every: int = Field(5_000, ge=1)
    """Images between two validations."""
    state_every: int = Field(2_000, ge=1)
    """Images between two saved states; a killed run goes on from the last."""
    validation_pairs: int = Field(64, ge=1)
    """Pairs a validation looks at, spread evenly over the held-out regions."""
    best_by: Literal["swd", "l1"] = "swd"
    """The weights kept are those whose distance on the held-out pairs was the lowest: sliced Wasserstein or L1."""
    patience: int = Field(10, ge=1)
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
    tensorboard: bool = False
    """Write the history and the samples for TensorBoard too, into `tensorboard/` beside the weights; needs the extra
    `board`."""

    ONLY_HOW: ClassVar = frozenset({"device", "state_every", "workers", "patience", "tensorboard"})
    """Settings that say how, not what: the weights are the same."""


class Elevation(_Section):
    """How heights of another body become heights that the generator knows; Earth's stay as they are."""

    policy: Literal["clip", "sea_level", "affine", "quantile", "relief"] = "sea_level"
    """`clip`: as they are. `sea_level`: flood below the shoreline. `affine`: stretch the land to `top_m`. `quantile`:
    match Earth's land heights. `relief`: local relief only."""
    shoreline_m: float = 0.0
    """Height of the shoreline above the body's datum, metres; what lies below it is sea (not for `clip`)."""
    top_m: float = Field(8000.0, gt=0)
    """Height that `affine` gives to the highest land, metres."""


class Climate(_Section):
    """The climate that the generator is told, by another latitude; Earth keeps its own."""

    latitude_shift_deg: float = Field(0.0, ge=-90, le=90)
    """Added to every latitude, degrees: positive moves the climate belts south, so that the north is colder."""
    latitude_scale: float = Field(1.0, ge=0, le=3)
    """Factor of the latitude: below 1 a warmer planet, above 1 a colder one; 0 is the equator everywhere."""
    sun_azimuth_deg: float | None = Field(None, ge=0, lt=360)
    """Where the light of the hillshade comes from, degrees clockwise from north; null: the sun of `condition`."""


class Mosaics(_Section):
    """What to draw."""

    regions: list[Name] = ["olympus", "korolev"]
    """Regions to draw; any region of the file, of any body."""
    elevation: Elevation = Elevation()
    """From the body's heights to those the generator knows."""
    climate: Climate = Climate()
    """What the generator is told of latitude and sun."""
    grid: Literal["equirectangular", "polar", "input"] = "equirectangular"
    """The map: equirectangular (IAU_2015:49910 on Mars), polar stereographic for regions near a pole, or the grid of
    the elevation itself."""
    window_px: int = Field(1280, ge=256)
    """Side of the generator's windows, pixels."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """Arithmetic of the generator; bf16 is twice as fast where the processor has it, and within a level of 255."""
    compression: Literal["zstd", "deflate", "jpeg", "webp"] = "deflate"
    """Compression of the mosaic."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to draw."""


class Config(_Section):
    """The whole configuration."""

    run: Name = "default"
    """Name of the model's results."""
    seed: int = Field(0, ge=0)
    """Seed of the synthetic world and of everything random."""
    rasters: str = "rasters"
    """Folder of one's own rasters: the `{rasters}` of a path."""
    downloads: Downloads = Downloads()
    """How remote services are asked."""
    regions: Regions = Regions()
    """Which polygons to use."""
    split: Split = Split()
    """Roles that override those of the regions file."""
    sources: Sources = Sources()
    """Upstream data."""
    pairs: Pairs = Pairs()
    """Which pairs are kept."""
    sheet: Sheet = Sheet()
    """The pair sheet and the Turbo colormap."""
    condition: Condition = Condition()
    """What the generator sees."""
    train: Train = Train()
    """How it learns."""
    mosaics: Mosaics = Mosaics()
    """What it draws."""

    @model_validator(mode="after")
    def _consistent(self) -> "Config":
        if self.sheet.high_m <= self.sheet.low_m:
            raise ValueError(f"sheet: high_m {self.sheet.high_m:g} must be above low_m {self.sheet.low_m:g}")
        return self


def parse(document: Mapping[str, Any], name: str = "config.yaml") -> Config:
    """Check a configuration and fill in the defaults.

    Raises
    ------
    ConfigError
        One line per mistake: path, what was given, what is allowed.
    """
    try:
        return Config.model_validate(dict(document))
    except ValidationError as error:
        raise ConfigError("\n".join(_line(name, mistake) for mistake in error.errors())) from None


def load(*paths: Path | str) -> Config:
    """Read `config.yaml` and overlays, the later ones over the earlier, and check the result."""
    from terraform.strict_yaml import read_yaml

    merged: dict[str, Any] = {}
    for path in paths:
        merged = overlay(merged, read_yaml(Path(path)))
    return parse(merged, " + ".join(Path(path).name for path in paths))


def overlay(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Merge two configurations: sections are merged, anything else is replaced; a source is replaced whole."""
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[key] = overlay(old, value) if both and "source" not in value else value  # type: ignore[arg-type]
    return merged


def schema_yaml() -> str:
    """The JSON schema of the configuration as YAML, for editors; `parse` is what checks."""
    import yaml

    text: str = yaml.safe_dump(Config.model_json_schema(), sort_keys=False, width=110)
    return "# Made by `make schema` from terraform/config.py: do not edit.\n" + text


def _line(name: str, mistake: Any) -> str:
    path = ".".join(str(part) for part in mistake["loc"] if part not in SOURCES) or "(top level)"
    if mistake["type"] == "extra_forbidden":
        # Secrets do not belong here, and what is said here ends in logs.
        secret = re.search("key|token|secret|password|credential", path, re.IGNORECASE)
        given = "" if secret else f" (given {mistake['input']!r})"
        return f"{name}: {path}: unknown setting{given}: remove it or correct its name"
    if mistake["type"] in ("union_tag_invalid", "union_tag_not_found"):
        return f"{name}: {path}.source: given {mistake['input'].get('source')!r}, expected one of {', '.join(SOURCES)}"
    if mistake["type"] == "value_error":
        return f"{name}: {mistake['msg'].removeprefix('Value error, ')}"
    return f"{name}: {path}: given {mistake['input']!r}: {mistake['msg'][0].lower()}{mistake['msg'][1:]}"
