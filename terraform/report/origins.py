"""Where everything comes from: time, settings, versions, sources and their licences."""

import platform
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml

from terraform import provenance
from terraform.geo import raster
from terraform.provenance import Credit, Provenance
from terraform.report.files import RunFiles, number, private, read_table
from terraform.report.parts import Cell, Fact, Number, Table
from terraform.report.training import header_of, read_numbers
from terraform.version import __version__

_DISTRIBUTION = "terraform-planets"
_RASTERS = ("elevation", "imagery", "temperature", "precipitation")


def timings(run: RunFiles) -> dict[str, Any]:
    """Say how long a run took, as far as it was measured.

    Raises
    ------
    InputError
        A table is damaged.
    """
    facts: list[Fact] = []
    history = run.model / "history.csv"
    rows = read_numbers(history) if history.is_file() else []
    if rows and {"images", "seconds"} <= rows[-1].keys() and rows[-1]["seconds"] > 0:
        last = rows[-1]
        facts = [
            Fact("training", Number(last["seconds"], unit="s")),
            Fact("images", Number(int(last["images"]))),
            Fact("images a second", Number(last["images"] / last["seconds"])),
        ]
        facts += [Fact("of it waiting for pairs", Number(last["waited"], unit="s"))] if "waited" in last else []
    table = _jobs(run)
    return {"facts": facts, "table": table, "missing": [] if facts or table else ["Nothing was timed."]}


def _jobs(run: RunFiles) -> Table | None:
    """Sum what Snakemake measured of each rule's jobs."""
    known = {run.config.run, "earth", "mars", *_RASTERS, *run.regions}
    logs = run.folder / "logs"
    by_rule: dict[str, list[Path]] = {}
    for path in sorted(logs.rglob("*.tsv")):
        rule, *names = path.relative_to(logs).with_suffix("").parts
        if set(names) <= known:
            by_rule.setdefault(rule, []).append(path)
    rows = [_rule(rule, paths) for rule, paths in by_rule.items()]
    columns = ("rule", "jobs", "seconds", "processor seconds", "most memory, MB")
    said = "As Snakemake measured the last time that each job ran; jobs overlap, so their seconds do not add up."
    return Table(columns, rows, said) if rows else None


def _rule(rule: str, paths: list[Path]) -> list[Cell]:
    rows = [(path, row) for path in paths for row in read_table(path, "\t")[-1:]]
    found = {name: [number(row.get(name, ""), path) or 0.0 for path, row in rows]
             for name in ("s", "cpu_time", "max_rss")}  # fmt: skip
    memory = max(found["max_rss"], default=0.0)
    return [rule, Number(len(rows)), Number(sum(found["s"])), Number(sum(found["cpu_time"])), Number(memory)]


def settings(run: RunFiles) -> dict[str, str]:
    """Write the configuration that held: what is not the default, and all of it."""
    config = run.config
    return {
        "changed": private(_yaml(config.model_dump(mode="json", exclude_defaults=True)), run.folder),
        "whole": private(_yaml(config.model_dump(mode="json")), run.folder),
    }


def _yaml(document: dict[str, Any]) -> str:
    return str(yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100))


def versions() -> Table:
    """List this package, Python and the packages that it asks for."""
    from packaging.requirements import Requirement

    rows: list[list[Cell]] = [["terraform", __version__], ["Python", platform.python_version()]]
    try:
        asked = [Requirement(said) for said in metadata.requires(_DISTRIBUTION) or []]
    except metadata.PackageNotFoundError:
        asked = []
    here = [one.name for one in asked if one.marker is None or one.marker.evaluate({"extra": ""})]
    rows += [[name, _installed(name)] for name in here]
    return Table(("package", "version"), rows)


def _installed(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def origins(run: RunFiles) -> dict[str, Any]:
    """List every source with its licence and attribution, and what it had a part in.

    Raises
    ------
    InputError
        A file does not say where it comes from.
    """
    used: dict[Credit, list[str]] = {}
    for what, made in _made(run):
        for credit in made.credits:
            parts = used.setdefault(credit, [])
            if what not in parts:
                parts.append(what)
    rows: list[list[Cell]] = [
        [credit.source, credit.attribution + (" (synthetic)" if credit.synthetic else ""), credit.licence,
         ", ".join(parts)]
        for credit, parts in used.items()
    ]  # fmt: skip
    merged = Provenance(tuple(used)) if used else None
    return {
        "table": Table(("source", "attribution", "licence", "part in"), rows) if rows else None,
        "licence": merged.licence if merged else None,
        "synthetic": bool(merged and merged.synthetic),
        "all_synthetic": bool(used) and all(credit.synthetic for credit in used),
    }


def _made(run: RunFiles) -> Iterator[tuple[str, Provenance]]:
    """Whatever of the run says where it comes from."""
    for name in run.paired:
        if (path := run.pairs(name) / "provenance.json").is_file():
            yield "pairs", provenance.read(path)
    weights = run.model / "weights.safetensors"
    if weights.is_file() and (text := header_of(weights)[0].get("provenance")):
        yield "weights", provenance.from_json(text)
    for body in run.config.planet.bodies:
        for what in ("climate", "base"):
            if (path := run.planet / body / f"{what}.tif").is_file():
                yield "base colours" if what == "base" else what, _tagged(path)
    for name in run.mosaics:
        if (run.mosaic(name) / "item.json").is_file() and (path := run.download(name) / "elevation.json").is_file():
            yield "mosaics", provenance.read(path)


def _tagged(path: Path) -> Provenance:
    """Read what a raster of a whole body says of its sources."""
    with raster.opened(path) as dataset:
        tags = dataset.tags()
    if "PROVENANCE" in tags:
        return provenance.from_json(tags["PROVENANCE"])
    licence, said = tags.get("LICENCE", "LicenseRef-Unknown"), tags.get("ATTRIBUTION", path.name)
    return Provenance((Credit("files", licence, said, tags.get("SYNTHETIC_INPUT") == "true"),))
