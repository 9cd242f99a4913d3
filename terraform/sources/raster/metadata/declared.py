"""What the user says of files: CRS, body, unit and missing value, where a file says none or a wrong one."""

import difflib
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from rasterio.crs import CRS
from rasterio.errors import CRSError

from terraform.errors import ConfigError, InputError
from terraform.geo.bodies import BODIES

_SAME = 0.01
"""Radii that differ by less are of one body, if its name is known."""
_SAME_BODY = 1e-3
"""Radii that differ by less name a body."""


@dataclass(frozen=True)
class Declared:
    """What the user says of files.

    Attributes
    ----------
    crs : str or None
        CRS, in any form that PROJ reads.
    nodata : float or None
        The missing value.
    unit : str or None
        Unit of heights: m, km, ft or us-ft.
    body : str or None
        Name of the body on which the file lies, in longitudes and latitudes.
    wins : bool
        CRS, missing value and unit hold also where the file says another; else they hold where it says none.
    options : bool
        They are options of the command line; else settings of the configuration. Messages call them so.
    nowhere : bool
        Where the file lies is not asked: one without a georeference is in `NOWHERE`.
    """

    crs: str | None = None
    nodata: float | None = None
    unit: str | None = None
    body: str | None = None
    wins: bool = False
    options: bool = False
    nowhere: bool = False

    def name(self, setting: str) -> str:
        """Name a setting as the user writes it: `--nodata` or `nodata:`."""
        return f"--{setting.replace('_', '-')}" if self.options else f"`{setting}:`"


METRES = {"m": 1.0, "km": 1000.0, "ft": 0.3048, "us-ft": 1200 / 3937}
"""Metres of each unit of heights that the user can name; the US survey foot is 1200/3937 m (NIST SP 811)."""

NOTHING = Declared()
"""The files say it all."""

NOWHERE = CRS.from_wkt('LOCAL_CS["on no map",UNIT["metre",1]]')
"""What has no CRS and needs none is in."""


def crs_of(path: Path, given: CRS | None, declared: Declared) -> CRS:
    """Choose the CRS of a file: its own, or what the user says of it.

    Raises
    ------
    InputError, ConfigError
        Neither says it, the user's is unknown, or a projected CRS is said to be of another body.
    """
    if declared.body is not None:
        return _on_body(path, given, declared, declared.body)
    if declared.crs is None or (given is not None and not declared.wins):
        if given is None:
            raise InputError(_missing(path, declared))
        return given
    try:
        said = CRS.from_user_input(declared.crs)
    except (CRSError, ValueError) as error:
        raise ConfigError(
            f"{declared.name('crs').strip('`').rstrip(':')}: {declared.crs!r} is unknown ({error}): use one such as "
            "EPSG:4326"
        ) from None
    if given is not None and given != said:
        _say(f"{path.name} says that it is in {_short(given)}: {declared.name('crs')} {declared.crs} is used instead")
    return said


def _missing(path: Path, declared: Declared) -> str:
    example = f"{declared.name('crs').strip('`')} EPSG:4326"
    more = f", with {declared.name('body')} mars, or with --pixel-size and --latitude" * declared.options
    return (
        f"{path} has no CRS: say which one it is in with {declared.name('crs')}, for instance {example}{more}; if it "
        "should have one it is truncated: get it again"
    )


def _on_body(path: Path, given: CRS | None, declared: Declared, body: str) -> CRS:
    """Choose the CRS of a file that is said to lie on a body."""
    if declared.crs is not None:
        raise ConfigError(f"{declared.name('crs')} says the body too: leave out {declared.name('body')} {body}")
    degrees = degrees_of(body)
    if given is None:
        return degrees
    same = abs(_radius_m(given) / _radius_m(degrees) - 1) < _SAME
    if same:
        return given
    if not given.is_geographic:
        raise InputError(
            f"{path} is in {_short(given)}, metres on another body than {body}: say its whole CRS with "
            f"{declared.name('crs')}"
        )
    _say(f"{path.name} says that it is in {_short(given)}: its degrees are taken for those of {body}")
    return degrees


@cache
def degrees_of(body: str) -> CRS:
    """Find the longitudes and latitudes of a body by its name: the project's own, or those of the IAU.

    Raises
    ------
    ConfigError
        PROJ knows no such body.
    """
    if body in BODIES:
        return CRS.from_user_input(BODIES[body].geographic_crs)
    known = _spheres()
    if body.lower() not in known:
        close = difflib.get_close_matches(body.lower(), [*BODIES, *known], 1)
        meant = f"do you mean {close[0]}?" if close else "use one such as earth, mars, moon, mercury, venus, titan"
        raise ConfigError(f"body {body!r} is unknown: {meant}")
    return CRS.from_user_input(f"IAU_2015:{known[body.lower()]}")


@cache
def name_of_radius(radius_m: float) -> str | None:
    """Name the body of a CRS that names none, by its radius; None where no body of the IAU is so large."""
    radii = {name: _radius_m(CRS.from_user_input(f"IAU_2015:{code}")) for name, code in _spheres().items()}
    name = min(radii, key=lambda of: abs(radii[of] - radius_m))
    return name if abs(radii[name] / radius_m - 1) < _SAME_BODY else None


@cache
def _spheres() -> dict[str, str]:
    """List the bodies that PROJ knows by the IAU, and the codes of their longitudes and latitudes on a sphere."""
    from pyproj.database import query_crs_info
    from pyproj.enums import PJType

    return {of.name.split(" (")[0].lower(): of.code
            for of in query_crs_info("IAU_2015", [PJType.GEOGRAPHIC_2D_CRS])
            if of.name.endswith("Sphere / Ocentric")}  # fmt: skip


def _radius_m(crs: CRS) -> float:
    from terraform.geo.raster import semi_major_axis_m

    return semi_major_axis_m(crs)


def _short(crs: CRS) -> str:
    """Name a CRS in few words."""
    known = crs.to_authority()
    return ":".join(known) if known else crs.to_string()[:60]


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
