"""What the Snakefile asks: the configuration that really holds, the regions to work on, what has become stale."""

import hashlib
import json
import re
import shlex
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from terraform import provenance
from terraform.config import Config, FilesSource, RemoteSource, Split, current, overlay, parse
from terraform.config.strict_yaml import plain, read_yaml
from terraform.errors import ConfigError, InputError
from terraform.geo.regions import Region, load_regions, of_role, select
from terraform.sources import Kind, PlanetKind
from terraform.storage.atomic_write import write_text
from terraform.workflow.stages import planet_settings, source_settings


@dataclass(frozen=True)
class Plan:
    """What a run of the workflow is about.

    Attributes
    ----------
    config : Config
        As given, with `split` naming every region that has pairs: roles of the regions file filled in.
    regions : dict of str to Region
        All regions of the file.
    learning : tuple of str
        Regions to train and validate on.
    testing : tuple of str
        Regions to judge the result on, once.
    mosaics : tuple of str
        Regions to draw.
    """

    config: Config
    regions: dict[str, Region]
    learning: tuple[str, ...]
    testing: tuple[str, ...]
    mosaics: tuple[str, ...]

    @property
    def paired(self) -> tuple[str, ...]:
        """Regions that are cut into pairs."""
        return (*self.learning, *self.testing)


def read_config(base: Path, overlays: Iterable[Path], overrides: Mapping[str, Any]) -> Config:
    """Read the configuration from its file, overlays (`--configfile`) and single values (`--config`); the last wins.

    Snakemake types the values of `--config` loosely; they are read again by the rules of the configuration files.

    Raises
    ------
    ConfigError
        One line per mistake.
    """
    merged: dict[str, Any] = {}
    paths = [base, *overlays]
    for path in paths:
        merged = overlay(merged, current(read_yaml(path), path.name))
    names = [path.name for path in paths] + ["--config"] * bool(overrides)
    return parse(overlay(merged, current(plain(overrides), "--config")), " + ".join(names))


def how_to_repeat(overlays: Iterable[Path], overrides: Mapping[str, Any]) -> str:
    """Write the command that makes a run again, with the overlays and single values that it was given."""
    files = [str(path) for path in overlays]
    values = [f"{name}={value if isinstance(value, str) else json.dumps(value)}" for name, value in overrides.items()]
    options = [["--configfile", *files] if files else [], ["--config", *values] if values else []]
    return shlex.join(["snakemake", "--cores", "8", "all", *chain.from_iterable(options)])


def planned(config: Config) -> Plan:
    """Find the regions and their roles, and refuse what could not run to the end.

    Raises
    ------
    ConfigError
        The regions file is wrong, a named region is not in it, a role has no region, or a body has no imagery.
    """
    everything = load_regions(config.regions.file)
    chosen = _chosen(config, everything)
    drawn = config.mosaics.regions
    if drawn is None:
        drawn = [region.name for region in of_role(chosen, "mosaic")]
    roles = {role: [r.name for r in of_role(chosen, role)] for role in ("train", "validation", "test")}
    mistakes = [
        f"no region has the role {role}: give one that role in {config.regions.file} or in `split`"
        for role in ("train", "validation")
        if not roles[role]
    ]
    mistakes += [
        f"region {name!r} lies on {chosen[name].body.name}, which has no imagery to learn from: its role can only be "
        "mosaic"
        for name in chain.from_iterable(roles.values())
        if chosen[name].body.name != "earth"
    ]
    mistakes += [
        f"mosaics.regions: region {name!r} is not in {config.regions.file}: known are {', '.join(everything)}"
        for name in drawn
        if name not in everything
    ]
    mistakes += _unmatchable(config.basemap.match, everything, [*roles["validation"], *roles["test"]])
    if re.search(r"\{.*\}", config.rasters):
        mistakes.append(
            f"rasters: {config.rasters!r} has braces, which Snakemake reads as a wildcard: give the folder another "
            "name, or a link to it one"
        )
    if config.condition.needs_climate and config.sources.earth.planet.temperature is None:
        mistakes.append(
            "condition.channels has air_temperature, and sources.earth.planet no temperature from which pairs could "
            "take it: name a source for it, such as worldclim, or leave the channel out"
        )
    if "planet" in everything:
        mistakes.append(f"a region of {config.regions.file} is called planet, as the folder of whole bodies: rename it")
    if mistakes:
        raise ConfigError("\n".join(mistakes))
    return Plan(
        config.model_copy(update={"split": Split(**roles)}),
        everything,
        (*roles["train"], *roles["validation"]),
        tuple(roles["test"]),
        tuple(drawn),
    )


def _unmatchable(names: Iterable[str], everything: Mapping[str, Region], held_out: Iterable[str]) -> list[str]:
    """Say what is wrong with the regions to whose imagery base colours are matched."""
    held = set(held_out)
    mistakes = []
    for name in names:
        if name not in everything or everything[name].body.name != "earth":
            mistakes.append(f"basemap.match: {name!r} is no region of Earth of the regions file: correct or remove it")
        elif name in held:
            mistakes.append(
                f"basemap.match: region {name!r} is for validation or test, nothing may be learnt from it: remove it"
            )
    return mistakes


def _chosen(config: Config, everything: Mapping[str, Region]) -> dict[str, Region]:
    """Choose the regions that take part; print a line where they are still listed instead of left out."""
    include, exclude = config.regions.include, config.regions.exclude
    if include is not None:
        others = ", ".join(name for name in everything if name not in include)
        print(
            "regions.include is read in this version only, and a region added to the file waits until it is named "
            f"there: leave out what is not wanted instead, regions: {{exclude: [{others}]}}",
            file=sys.stderr,
            flush=True,
        )
    unknown = [name for name in exclude if name not in everything]
    if unknown and include is None:
        print(
            f"regions.exclude names {', '.join(unknown)}, not in {config.regions.file}: there is nothing to leave out; "
            f"known are {', '.join(everything)}",
            file=sys.stderr,
            flush=True,
        )
    return select(everything, include, config.split.model_dump(), exclude)


def write_config(config: Config, folder: Path) -> Path:
    """Publish a configuration under its digest, once; the jobs of a run read it from there."""
    text = json.dumps(config.model_dump(mode="json"), sort_keys=True, indent=1) + "\n"
    path = folder / f"config-{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"
    if not path.exists():
        write_text(path, text)
    return path


def mark_edited(plan: Plan) -> None:
    """Mark the regions whose files were made for another polygon than they have now.

    Snakemake notices an edited polygon by its own records. They may be gone (`.snakemake` deleted, results copied), so
    what the files themselves say is compared too. A mark is an input of the region's download, newer than what is
    stale; it stays, since Snakemake would take its absence for a change.
    """
    for name in dict.fromkeys((*plan.paired, *plan.mosaics)):
        region, mark = plan.regions[name], _mark(plan.regions[name])
        stale = [path for path in _records(region) if path.exists() and not _made_for(region, path)]
        if stale and not (_holds(mark, region.fingerprint) and _age(mark) >= max(map(_age, stale))):
            write_text(mark, region.fingerprint + "\n")


def marks(region: Region) -> list[str]:
    """List the region's mark as an input, where there is one."""
    return [str(_mark(region))] if _mark(region).exists() else []


def _mark(region: Region) -> Path:
    return Path("resources", region.body.name, region.name, "edited.txt")


def _records(region: Region) -> list[Path]:
    folder = Path("resources", region.body.name, region.name)
    pairs = Path("results", "pairs", region.name, "provenance.json")
    return [folder / "elevation.json", folder / "imagery.json", pairs]


def _holds(mark: Path, fingerprint: str) -> bool:
    return mark.exists() and mark.read_text(encoding="utf-8").strip() == fingerprint


def _age(path: Path) -> int:
    return path.stat().st_mtime_ns


def _made_for(region: Region, record: Path) -> bool:
    try:
        return provenance.read(record).details.get("fingerprint") == region.fingerprint
    except InputError:
        return False


def downloads(config: Config, body: str, kind: Kind) -> int:
    """1 where a body's elevation or imagery comes over the network, which the profile bounds; else 0."""
    return int(isinstance(source_settings(config, body, kind), RemoteSource))


def planet_downloads(config: Config, body: str, kind: PlanetKind) -> int:
    """1 where a raster of a whole body comes over the network; else 0."""
    return int(isinstance(planet_settings(config, body, kind), RemoteSource))


def own_planet_rasters(config: Config, body: str, kind: PlanetKind) -> list[str]:
    """List the user's own files that a raster of a whole body is read from, as far as they exist."""
    return _own(config, planet_settings(config, body, kind), "")


def own_rasters(config: Config, region: Region, kind: Kind) -> list[str]:
    """List the user's own files that a region is read from, as far as they exist: newer ones are fetched again."""
    return _own(config, source_settings(config, region.body.name, kind), region.name)


def _own(config: Config, source: Any, region: str) -> list[str]:
    if not isinstance(source, FilesSource):
        return []
    patterns = [source.path] if isinstance(source.path, str) else source.path
    paths = [Path(p.replace("{rasters}", config.rasters).replace("{region}", region)) for p in patterns]
    return [str(path) for path in paths if path.is_file()]
