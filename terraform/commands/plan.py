"""Before a run: plan."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from terraform.commands.options import AsJson, Configs, configured

if TYPE_CHECKING:
    from terraform.geo.regions import Region
    from terraform.sources import FetchEstimate, Kind
    from terraform.sources.estimate import RasterEstimate
    from terraform.workflow.plan import Plan


def plan(
    config: Configs = None,
    as_json: AsJson = False,
) -> None:
    """Tell which requests and bytes a run would take from each service. Asks nothing of any."""
    from terraform.sources.estimate import estimate, estimate_planets, totals
    from terraform.workflow.plan import planned

    settings = configured(config)
    planets = [row for row in estimate_planets(settings) if row.estimate.service != "sample"]
    made = [*estimate(settings, _wanted(planned(settings))), *planets]
    sums = totals(made)
    typer.echo(_machine(made, sums) if as_json else _human(made, sums))


def _wanted(of: "Plan") -> "list[tuple[Region, Kind]]":
    """List the rasters that the workflow fetches: both halves of pairs, heights of what is drawn."""
    wanted: dict[tuple[str, Kind], Region] = {}
    for name in of.paired:
        wanted[name, "elevation"] = wanted[name, "imagery"] = of.regions[name]
    for name in of.mosaics:
        wanted[name, "elevation"] = of.regions[name]
    return [(region, kind) for (_, kind), region in wanted.items()]


def _machine(made: "list[RasterEstimate]", sums: "list[FetchEstimate]") -> str:
    rasters: list[dict[str, Any]] = [item._asdict() | {"estimate": asdict(item.estimate)} for item in made]
    share = sum(of.requests for of in sums if of.service == "earthengine")
    told = {"rasters": rasters, "services": [asdict(of) for of in sums], "earth_engine_requests": share}
    return json.dumps(told, indent=2)


def _human(made: "list[RasterEstimate]", sums: "list[FetchEstimate]") -> str:
    lines = [_line(item) for item in made]
    lines += ["", "in all, at most (regions that overlap share what they fetch):"]
    lines += [f"  {of.service:16} {_amount(of)}" for of in sums]
    return "\n".join([*lines, _share(sums)])


def _share(sums: "list[FetchEstimate]") -> str:
    """Say what of all counts against a project's quota."""
    own = next((of for of in sums if of.service == "earthengine"), None)
    if own is None:
        return "of it by Earth Engine: nothing"
    requests, of_all = sum(of.requests for of in sums), sum(of.bytes for of in sums)
    megabytes = f"{own.bytes / 1e6:,.1f} of {of_all / 1e6:,.1f} MB"
    return f"of it by Earth Engine: {own.requests:,} of {requests:,} requests, {megabytes}"


def _line(item: "RasterEstimate") -> str:
    said = "is there" if item.present else _amount(item.estimate)
    return f"{item.region:20} {item.kind:10} {item.estimate.service:16} {said}"


def _amount(of: "FetchEstimate") -> str:
    if not (of.requests or of.bytes or of.kept_bytes):
        return "nothing to fetch"
    about = "" if of.exact else "about "
    kept = f", {of.kept_bytes / 1e6:,.1f} MB are kept already" if of.kept_bytes else ""
    return f"{about}{of.requests:,} requests, {about}{of.bytes / 1e6:,.1f} MB{kept}"
