# The configuration, the regions and the names of results. Nothing here starts a job; all mistakes end the run here.
import os
import shlex
import sys
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError

# The package beside the Snakefile is the one that `python -m terraform` runs in the jobs.
sys.path.insert(0, str(workflow.basedir))

from terraform.workflow import stages
from terraform.workflow import plan as work
from terraform.workflow.longer import how_to_continue
from terraform.errors import TerraformError
from terraform.workflow.stale_locks import hold_working_folder

if not Path("config.yaml").is_file() and Path(workflow.basedir).resolve() != Path.cwd():
    raise WorkflowError(
        f"{Path.cwd()} has no config.yaml: run in the project's folder, with --directory {shlex.quote(str(workflow.basedir))}"
    )

# `configfile:` is not used: Snakemake would evaluate expressions in it, read NO as false and let the last of two equal
# keys win. Overlays (--configfile) are read again by our own reader.
try:
    PLAN = work.planned(
        work.read_config(
            Path("config.yaml"),
            workflow.overwrite_configfiles,
            workflow.config_settings.config,
        )
    )
    CONFIG = PLAN.config
    CONFIG_FILE = work.write_config(CONFIG, Path(".terraform"))
except TerraformError as error:
    raise WorkflowError(str(error)) from None

# Snakemake's own locks outlive it when it is killed; HELD lives as long as this process.
HELD = hold_working_folder(sys.argv) if workflow.is_main_process else None

# Without Snakemake's records an edited polygon shows only in the files themselves.
if workflow.is_main_process:
    work.mark_edited(PLAN)
    if how := how_to_continue(PLAN, CONFIG_FILE):
        print(how, file=sys.stderr)

CPUS = min(8, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())
GPUS = 0 if CONFIG.train.device == "cpu" else 1
TRAIN_GPUS = GPUS * CONFIG.train.gpus
MOSAIC_GPUS = 0 if CONFIG.mosaics.device == "cpu" else 1

RESOURCE = "resources/{body}/{region}/{what}.tif"
PAIRS = "results/pairs/{region}/provenance.json"
TEMPERATURES = "results/pairs/{region}/temperature.npy"
SHEET = "results/pairs/{region}/sheet.jpg"
WEIGHTS = f"results/model/{CONFIG.run}/weights.safetensors"
STRIPS = f"results/mars/{CONFIG.run}/{{region}}/.strips-{{part}}-of-{CONFIG.mosaics.jobs}"
MOSAIC = f"results/mars/{CONFIG.run}/{{region}}/terraformed.tif"
PLANET_RASTER = "resources/{body}/planet/{kind}.tif"
PLANET = f"results/planet/{CONFIG.run}"
BASE_MODEL = f"{PLANET}/base-model.safetensors"
CLIMATE = f"{PLANET}/{{body}}/climate.tif"
BASE_COLOURS = f"{PLANET}/{{body}}/base.tif"
TINTS = f"{PLANET}/{{body}}/tints.tif"
METRICS = f"results/evaluation/{CONFIG.run}/metrics.json"
VIEWER = "results/viewer/index.html"
REPORT = "results/report.html"


wildcard_constraints:
    region=r"(?!planet/)[a-z0-9][a-z0-9_-]{0,63}",
    body="earth|mars",
    what="elevation|imagery",
    kind="elevation|imagery|temperature|precipitation",
    part="[1-9][0-9]*",


PYTHON = shlex.quote(sys.executable)


def command(name, configured=True, processes=1):
    """The beginning of a job's command line: Python, of several processes torchrun, the configuration that holds."""
    together = f"torch.distributed.run --standalone --nproc-per-node {processes} -m " if processes > 1 else ""
    line = f"{PYTHON} -m {together}terraform {name} "
    line += f"--config {shlex.quote(str(CONFIG_FILE))} " if configured else ""
    return line.replace("{", "{{").replace("}", "}}")


def region_of(wildcards):
    if wildcards.region not in PLAN.regions:
        raise WorkflowError(
            f"region {wildcards.region!r} is not in {CONFIG.regions.file}: known are {', '.join(PLAN.regions)}"
        )
    return PLAN.regions[wildcards.region]


def polygon(wildcards):
    """What an edit of the polygon changes."""
    return region_of(wildcards).fingerprint


# Asked for every region, the same for all: for the code alone forty files are read.
@cache
def source_settings(body, what):
    return stages.relevant_source(CONFIG, body, what)


@cache
def source_code(body, what):
    return stages.source_code(CONFIG, body, what)


def raster_of(what):
    """The download of a region, wherever it lies."""

    def path(wildcards):
        region = region_of(wildcards)
        return RESOURCE.format(body=region.body.name, region=region.name, what=what)

    return path


def folders(wildcards, input):
    """Folders of the pairs that a job reads."""
    return [str(Path(path).parent) for path in input.pairs]


def base_of(wildcards):
    """The base colours of a region's body, where the generator adds to them."""
    return [] if CONFIG.train.base == "none" else BASE_COLOURS.format(body=region_of(wildcards).body.name)


def tints_of(wildcards):
    """The tints of a region's body, which lie beside its base colours, where the generator knows them."""
    return TINTS.format(body=region_of(wildcards).body.name) if CONFIG.condition.tints else []


def earth_tints(wildcards):
    """The tints of the Earth, of which all pairs are, where the generator knows them."""
    return TINTS.format(body="earth") if CONFIG.condition.tints else []


def strips_of(wildcards):
    """What other jobs draw of a mosaic, where there are several."""
    count = CONFIG.mosaics.jobs
    return expand(STRIPS, region=wildcards.region, part=range(1, count + 1)) if count > 1 else []


def option(name, path):
    """An option of a command with its path, or nothing where there is none."""
    return f"--{name} {shlex.quote(str(path))}" if path else ""


def climate_of(wildcards):
    """The climate of a region's body, where the generator sees the air's temperature."""
    return CLIMATE.format(body=region_of(wildcards).body.name) if CONFIG.condition.needs_climate else []


def temperatures(wildcards):
    """The temperatures of the places of all pairs, where the generator sees them."""
    return expand(TEMPERATURES, region=PLAN.paired) if CONFIG.condition.needs_climate else []


def planet_raster(kind):
    """A raster of the whole body of a job."""
    return lambda wildcards: PLANET_RASTER.format(body=wildcards.body, kind=kind)


def observed_climate(wildcards):
    """The rasters of a body's climate, where it is observed."""
    if not stages.is_observed(CONFIG, wildcards.body):
        return []
    return [PLANET_RASTER.format(body=wildcards.body, kind=kind) for kind in ("temperature", "precipitation")]


def climate_options(input):
    """What the command is told of an observed climate."""
    options = [f"--{Path(path).stem} {shlex.quote(path)}" for path in input.observed]
    return " ".join(options)


HELD_OUT = stages.held_out(CONFIG)


JUDGED_MOSAICS = [name for name in PLAN.mosaics if CONFIG.evaluation.mosaics and PLAN.regions[name].body.name == "mars"]


def judged_climates():
    """The climates of Mars and of Earth, where mosaics are judged and base colours have them made anyway."""
    return [] if CONFIG.train.base == "none" or not JUDGED_MOSAICS else expand(CLIMATE, body=["mars", "earth"])


def mars_options(wildcards, input):
    """What the command is told of mosaics of Mars."""
    pairs = zip(input.mosaics, input.reliefs)
    options = [f"{option('mosaic', mosaic)} {option('relief', relief)}" for mosaic, relief in pairs]
    climates = [option(f"{Path(path).parent.name}-climate", path) for path in input.climates]
    return " ".join(options + climates)
