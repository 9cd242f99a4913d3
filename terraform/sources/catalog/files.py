"""The source `files`: one's own rasters, of any format, grid and CRS."""

import string
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from terraform.config import Config, FilesSource, PlanetFilesSource
from terraform.errors import ConfigError, InputError
from terraform.geo.regions import Region
from terraform.provenance import Credit, Provenance
from terraform.sources import FetchEstimate, PlanetRequest, Request
from terraform.sources.raster.assemble import write_raster
from terraform.sources.raster.bands import check_colours, check_heights, colours_of, heights_of
from terraform.sources.raster.classify import classify_colours, classify_heights
from terraform.sources.raster.georeference import GeoreferencedRaster, georeference_checked
from terraform.sources.raster.merge import Group
from terraform.sources.raster.metadata.declared import Declared
from terraform.sources.raster.months import classify_months, open_months
from terraform.sources.raster.netcdf import SUFFIXES, open_netcdf
from terraform.sources.raster.opening import open_raster, readable_in
from terraform.sources.raster.planet import darkest_strips, planet_strips, with_sea_floor, write_planet
from terraform.sources.raster.resample import Classify, reaches


def build(settings: FilesSource, config: Config) -> "OwnRasters":
    """Build the source with its settings; nothing of it is random."""
    return OwnRasters(settings)


@dataclass(frozen=True)
class OwnRasters:
    """One's own rasters. Within an item of `path`, all rasters count alike; the next item fills what is void.

    A filler's heights are shifted to meet the finer ones at the border.
    """

    settings: FilesSource

    def credit(self) -> Credit:
        """Licence and attribution as the user states them."""
        return Credit("files", self.settings.licence, self.settings.attribution)

    def estimate(self, request: Request) -> FetchEstimate:
        """Estimate nothing: the files are here."""
        return FetchEstimate("files")

    def fetch(self, request: Request, destination: Path) -> Provenance:
        """Publish the raster of a request (`terraform.sources.raster.assemble`): void where the files have nothing.

        Raises
        ------
        InputError
            A file is missing, damaged, of another body or kind; none reaches the region; all is void.
        """
        with ExitStack() as stack:
            groups = self._reaching(request, stack)
            provenance = Provenance((self.credit(),), {"files": _names(groups)})
            write_raster(request, groups, self._classify(request), destination, provenance)
        return provenance

    def estimate_planet(self, request: PlanetRequest) -> FetchEstimate:
        """Estimate nothing: the files are here."""
        return FetchEstimate("files")

    def fetch_planet(self, request: PlanetRequest, destination: Path) -> Provenance:
        """Publish the raster of a whole body: void where the files have nothing.

        A file without a CRS is taken to be in the body's degrees, and so is every NetCDF. With `combine: darkest` each
        item of `path` is a picture of its own, and the darkest of them is published.

        Raises
        ------
        ConfigError, InputError
            A file is missing, damaged, or of another body; of a climate, unit or months are not clear; all is void.
        """
        settings = self.settings
        assert isinstance(settings, PlanetFilesSource)
        if settings.combine == "darkest" and request.kind != "imagery":
            raise ConfigError(f"combine: darkest is for pictures, not for {request.kind}: leave it out there")
        with ExitStack() as stack:
            groups, classify, names = self._whole_body(request, settings, stack)
            month = {"month": settings.month, "combine": settings.combine} if request.kind == "imagery" else {}
            provenance = Provenance((self.credit(),), {"files": names, **month})
            if settings.combine == "darkest":
                strips = darkest_strips([planet_strips(request, [group], classify) for group in groups])
            else:
                strips = planet_strips(request, groups, classify)
            write_planet(request, strips, destination, provenance)
        return provenance

    def _whole_body(
        self, request: PlanetRequest, settings: PlanetFilesSource, stack: ExitStack
    ) -> tuple[list[Group], Classify, list[str]]:
        """Open what a planet raster is made from: groups, how their pixels are told apart, names of files."""
        items = expanded(settings.path, None)
        if request.kind in ("temperature", "precipitation"):
            paths = [path for item in items for path in _rasters_of(item)]
            months = stack.enter_context(open_months(paths, settings, request.kind, request.body))
            return [[georeference_checked(months, request.body)]], classify_months, [path.name for path in paths]
        groups: list[Group] = [[self._whole(path, request, stack) for path in _rasters_of(item)] for item in items]
        return groups, self._classify_planet(request), _names(groups)

    def _whole(self, path: Path, request: PlanetRequest, stack: ExitStack) -> GeoreferencedRaster:
        settings, body = self.settings, request.body
        declared = Declared(settings.crs or body.geographic_crs, settings.nodata, settings.unit)
        if path.suffix.lower() in SUFFIXES:
            variable = getattr(settings, "variable", None)
            raster, _ = stack.enter_context(
                open_netcdf(path, declared, [variable] if variable else ["topo", "elevation"])
            )
        else:
            raster = stack.enter_context(open_raster(path, declared))
        of_planet = with_sea_floor(body)
        used = heights_of(raster, of_planet) if request.kind == "elevation" else colours_of(raster)
        return georeference_checked(used, body)

    def _classify_planet(self, request: PlanetRequest) -> Classify:
        if request.kind == "imagery":
            return classify_colours
        missing_is_sea = self.settings.nodata_means == "sea"
        return partial(classify_heights, body=with_sea_floor(request.body), missing_is_sea=missing_is_sea)

    def _classify(self, request: Request) -> Classify:
        if request.kind == "imagery":
            return classify_colours
        return partial(classify_heights, body=request.region.body, missing_is_sea=self.settings.nodata_means == "sea")

    def _reaching(self, request: Request, stack: ExitStack) -> list[Group]:
        """Open the rasters that reach the window, finest group first; those that do not are closed again."""
        declared = Declared(self.settings.crs, self.settings.nodata, self.settings.unit)
        check = check_heights if request.kind == "elevation" else check_colours
        groups: list[Group] = []
        for item in expanded(self.settings.path, request.region):
            group = []
            for path in _rasters_of(item):
                with ExitStack() as one:
                    body = request.region.body
                    raster = one.enter_context(open_raster(path, declared))
                    check(raster)
                    candidate = georeference_checked(raster, body)
                    if reaches(candidate, request.grid):
                        used = heights_of(raster, body) if request.kind == "elevation" else colours_of(raster)
                        group.append(replace(candidate, raster=used))
                        stack.push(one.pop_all())
            groups.append(group)
        if not any(groups):
            raise _elsewhere(self.settings, request)
        return [group for group in groups if group]


def expanded(path: str | Sequence[str], region: Region | None) -> list[Path]:
    """Expand the items of a path: `{region}` is replaced, where there is one.

    Raises
    ------
    ConfigError
        It has another placeholder, or is empty.
    """
    items = [path] if isinstance(path, str) else list(path)
    if not items:
        raise ConfigError("path is an empty list: name at least one file or folder")
    known = {} if region is None else {"region": region.name}
    return [Path(_replaced(item, **known)) for item in items]


def _replaced(item: str, **known: str) -> str:
    try:
        parsed = [part for part in string.Formatter().parse(item) if part[1] is not None]
    except ValueError as error:
        raise ConfigError(f"path: {item!r} has unbalanced braces ({error}): use {{region}} and {{rasters}}") from None
    if any(spec or conversion for _, _, spec, conversion in parsed):
        raise ConfigError(f"path: {item!r} formats a placeholder: use {{region}} and {{rasters}} alone")
    fields = {field for _, field, _, _ in parsed if field is not None}
    if not fields <= set(known):
        strange = ", ".join(f"{{{field}}}" for field in sorted(fields - set(known)))
        raise ConfigError(f"path: {item!r} has the placeholder {strange}: use {{region}} and {{rasters}}")
    return item.format(**known)


def _rasters_of(item: Path) -> list[Path]:
    return readable_in(item) if item.is_dir() else [item]


def _elsewhere(settings: FilesSource, request: Request) -> InputError:
    west, south, east, north = request.region.bounds
    return InputError(
        f"path {settings.path!r} has no raster that reaches region {request.region.name!r} "
        f"({west:g}..{east:g} E, {south:g}..{north:g} N): add one, or correct the region"
    )


def _names(groups: Sequence[Group]) -> list[str]:
    return [Path(raster.raster.name).name for group in groups for raster in group]
