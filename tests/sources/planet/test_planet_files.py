"""Planet rasters from one's own files: units, months, grids that begin anywhere, and the observed planets."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.transform import Affine
from servers.netcdf import write_netcdf

from terraform.errors import ConfigError, InputError
from terraform.geo.heights import SEA, VOID

OBSERVED = Path(__file__).parents[4] / "shared" / "data" / "planet"
observed = pytest.mark.skipif(
    not OBSERVED.is_dir(), reason="the observed planets (../shared/data/planet) are not on this machine"
)

LAT = 90 - (np.arange(180) + 0.5)
LON = -180 + (np.arange(360) + 0.5)


def months(lat: Any, lon: Any) -> NDArray[np.float64]:
    """Twelve bands that tell place and month, (12, H, W) degrees Celsius."""
    month = np.arange(12)[:, None, None]
    return 0.3 * np.asarray(lat)[None, :, None] + 5 * np.cos(np.radians(lon))[None, None, :] + month


def write(path: Path, bands: NDArray[Any], west: float = -180.0, **profile: Any) -> Path:
    count, height, width = bands.shape
    scales = profile.pop("scales", None)
    with rasterio.open(
        path, "w", driver="GTiff", count=count, height=height, width=width, dtype=bands.dtype,
        transform=Affine(360 / width, 0, west, 0, -180 / height, 90), **{"crs": "EPSG:4326", **profile},
    ) as dataset:  # fmt: skip
        dataset.write(bands)
        if scales:
            dataset.scales = scales
    return path


@pytest.mark.parametrize(
    ("unit", "stored", "setting"),
    [
        ("degC", lambda t: t.astype(np.float32), "degC"),
        ("K", lambda t: (t + 273.15).astype(np.float32), "K"),
        ("0.1degC", lambda t: np.rint(10 * t).astype(np.int16), "0.1degC"),
    ],
)
def test_temperature_in_every_unit(
    unit: str, stored: Any, setting: str, tmp_path: Path, planet_config, fetched
) -> None:
    path = write(tmp_path / "t.tif", stored(months(LAT, LON)))
    config = planet_config("earth", "temperature", source="files", path=str(path), unit=setting)
    made = fetched(config, "earth", "temperature")
    assert np.abs(made.values * 0.1 - np.moveaxis(months(LAT, LON), 0, -1)).max() <= 0.11
    assert made.scales == (0.1,) * 12 and made.names[::11] == ("January", "December")
    assert made.tags["UNITS"] == "0.1 degC" and made.provenance.details["files"] == ["t.tif"]


@pytest.mark.parametrize("choice", [{"bands": list(range(2, 14))}, {"first_month_band": 2}])
def test_a_band_of_the_year_before_the_months_is_left_out(choice: Any, tmp_path: Path, planet_config, fetched) -> None:
    values = np.rint(10 * months(LAT, LON)).astype(np.int16)
    path = write(
        tmp_path / "t.tif", np.concatenate([np.full((1, 180, 360), 999, np.int16), values]), scales=(0.1,) * 13
    )
    config = planet_config("earth", "temperature", source="files", path=str(path), unit="0.1degC", **choice)
    made = fetched(config, "earth", "temperature")
    assert np.abs(np.moveaxis(made.values, -1, 0) - values).max() <= 1


def test_twelve_files_from_0_to_360_degrees_are_the_months(tmp_path: Path, planet_config, fetched) -> None:
    lon = np.arange(360) + 0.5
    for number, month in enumerate(months(LAT, lon), start=1):
        write(tmp_path / f"m{number:02}.tif", month[None].astype(np.float32), west=0.0)
    config = planet_config("earth", "temperature", source="files", path=str(tmp_path), unit="degC")
    made = fetched(config, "earth", "temperature")
    assert np.abs(made.values * 0.1 - np.moveaxis(months(LAT, LON), 0, -1)).max() <= 0.11


@pytest.mark.parametrize(
    ("unit", "per_month"),
    [
        ("mm/month", 1.0),
        ("mm/day", 365.25 / 12),
        ("kg m-2 s-1", 365.25 / 12 * 86_400),
        ("m/s", 1000 * 365.25 / 12 * 86_400),
    ],
)
def test_precipitation_in_every_unit(unit: str, per_month: float, tmp_path: Path, planet_config, fetched) -> None:
    wanted = 100 + 2 * np.maximum(months(LAT, LON), 0)
    path = write(tmp_path / "p.tif", (wanted / per_month).astype(np.float32))
    config = planet_config("earth", "precipitation", source="files", path=str(path), unit=unit)
    made = fetched(config, "earth", "precipitation")
    assert np.abs(made.values - np.moveaxis(wanted, 0, -1)).max() <= 1 and made.tags["UNITS"] == "mm/month"


def gauss(rows: int) -> NDArray[np.float64]:
    nodes, _ = np.polynomial.legendre.leggauss(rows)
    return np.degrees(np.arcsin(nodes))[::-1].copy()


@pytest.mark.parametrize("lat", [gauss(32), -87.5 + np.arange(36) * 5.0], ids=["gaussian", "south up"])
def test_exoplasims_netcdf_is_read_as_it_is(lat: NDArray[np.float64], tmp_path: Path, planet_config, fetched) -> None:
    lon = np.arange(64) * 5.625
    celsius = months(lat, lon)
    variables = {
        "tas": ((celsius + 273.15).astype(np.float32), "K"),
        "pr": (np.full_like(celsius, 4e-8, np.float32), "m s-1"),
    }
    path = write_netcdf(tmp_path / "mars.nc", lat, lon, variables)
    config = planet_config("mars", "temperature", source="files", path=str(path))
    made = fetched(config, "mars", "temperature").values * 0.1
    inside = slice(6, -6)
    assert np.abs(made - np.moveaxis(months(LAT, LON), 0, -1))[inside].max() < 0.3
    rain = fetched(planet_config("mars", "precipitation", source="files", path=str(path)), "mars", "precipitation")
    assert np.abs(rain.values - 4e-8 * 1000 * 365.25 / 12 * 86_400).max() <= 1


def test_what_is_not_clear_is_asked_for(tmp_path: Path, planet_config, fetched) -> None:
    path = write(tmp_path / "t.tif", months(LAT, LON).astype(np.float32))

    def refused(error: type[Exception], said: str, **more: Any) -> None:
        config = planet_config("earth", "temperature", source="files", **{"path": str(path), **more})
        with pytest.raises(error, match=said):
            fetched(config, "earth", "temperature")

    refused(ConfigError, "does not say the unit of its temperature: say it with `unit:`, one of degC, K, 0.1degC")
    refused(ConfigError, "is no unit of temperature", unit="mm/day")
    refused(InputError, "holds temperature of -305", unit="K")
    refused(ConfigError, "13 are asked", unit="degC", first_month_band=2)
    refused(ConfigError, "keep one of them", unit="degC", first_month_band=1, bands=list(range(1, 13)))
    short = write(tmp_path / "short.tif", np.zeros((11, 18, 36), np.float32))
    refused(ConfigError, "11 bands in 1 file", unit="degC", path=str(short))
    other = write(tmp_path / "other.tif", np.zeros((1, 90, 180), np.float32))
    refused(InputError, "on another grid", unit="degC", path=[str(path), str(other)])
    several = write_netcdf(
        tmp_path / "two.nc", LAT, LON, {n: (np.zeros((12, 180, 360), np.float32), "K") for n in "ab"}
    )
    refused(InputError, "has the variables a, b: choose one with `variable:`", path=str(several))
    text = tmp_path / "text.nc"
    text.write_text("no NetCDF")
    refused(InputError, "cannot be opened as netCDF", path=str(text))


def test_missing_months_are_void(tmp_path: Path, planet_config, fetched) -> None:
    values = months(LAT, LON).astype(np.float32)
    values[:, :, 180:] = -9999
    path = write(tmp_path / "t.tif", values, nodata=-9999)
    made = fetched(
        planet_config("earth", "temperature", source="files", path=str(path), unit="degC"), "earth", "temperature"
    )
    assert (made.values[:, 181:] == VOID).all() and (made.values[:, :179] != VOID).all()


def test_a_planet_of_which_nothing_is_known_is_refused(tmp_path: Path, planet_config, fetched) -> None:
    path = write(tmp_path / "h.tif", np.full((1, 180, 360), -9999, np.int16), nodata=-9999)
    with pytest.raises(InputError, match=r"the whole of earth has no elevation: every cell is missing"):
        fetched(planet_config("earth", "elevation", source="files", path=str(path)), "earth", "elevation")
    assert not (tmp_path / "out/elevation.tif").exists()


def test_heights_keep_the_floor_of_the_sea_and_missing_means_what_is_said(
    tmp_path: Path, planet_config, fetched
) -> None:
    ground = np.broadcast_to(np.where(LAT > 0, -4000, 2000).astype(np.int16)[None, :, None], (1, 180, 360)).copy()
    ground[:, 100:, :40] = -32767
    path = write(tmp_path / "h.tif", ground, nodata=-32767)
    config = planet_config("earth", "elevation", source="files", path=str(path), nodata_means="sea")
    made = fetched(config, "earth", "elevation").values
    assert (made[:89] == -4000).all() and (made[101:, :39] == SEA).all() and (made[101:, 41:-1] == 2000).all()
    void = fetched(planet_config("earth", "elevation", source="files", path=str(path)), "earth", "elevation").values
    assert (void[101:, :39] == VOID).all()


def test_cells_are_the_mean_of_what_lies_in_them(tmp_path: Path, planet_config, fetched) -> None:
    fine = np.zeros((3, 360, 720), np.uint8)
    fine[0] = 10 + 200 * (np.arange(720) % 2)
    fine[1:] = 60
    path = write(tmp_path / "i.tif", fine)
    made = fetched(planet_config("earth", "imagery", source="files", path=str(path)), "earth", "imagery").values
    assert np.abs(made[..., 0].astype(int) - 110).max() <= 1 and (made[..., 1] == 60).all()


def test_several_months_become_the_darkest_of_them(tmp_path: Path, planet_config, fetched) -> None:
    april, july = (np.zeros((3, 180, 360), np.uint8) for _ in range(2))
    april[:] = np.array([200, 40, 90], np.uint8)[:, None, None]
    july[:] = np.array([120, 80, 60], np.uint8)[:, None, None]
    april[:, :60], july[:, :30] = 0, 0  # not seen: at 60 N in April, at 75 N in July neither
    paths = [str(write(tmp_path / f"{name}.tif", of)) for name, of in (("april", april), ("july", july))]
    config = planet_config("earth", "imagery", source="files", path=paths, combine="darkest")
    made = fetched(config, "earth", "imagery")
    assert (made.values[61:] == (120, 40, 60)).all() and (made.values[31:59] == (120, 80, 60)).all()
    assert (made.values[:29] == 0).all()
    assert made.provenance.details["month"] == 0 and made.provenance.details["files"] == ["april.tif", "july.tif"]


def test_a_composite_is_of_no_single_month_and_of_pictures_alone(tmp_path: Path, planet_config, fetched) -> None:
    with pytest.raises(ConfigError, match="composite of the year, month says 7: leave one out"):
        planet_config("earth", "imagery", source="files", path="a.tif", combine="darkest", month=7)
    path = write(tmp_path / "h.tif", np.zeros((1, 18, 36), np.int16))
    config = planet_config("earth", "elevation", source="files", path=str(path), combine="darkest")
    with pytest.raises(ConfigError, match="combine: darkest is for pictures, not for elevation"):
        fetched(config, "earth", "elevation")


def test_a_raster_of_another_body_is_refused(tmp_path: Path, planet_config, fetched) -> None:
    path = write(tmp_path / "h.tif", np.zeros((1, 18, 36), np.int16), crs="IAU_2015:49900")
    with pytest.raises(InputError, match="is on mars"):
        fetched(planet_config("earth", "elevation", source="files", path=str(path)), "earth", "elevation")


@observed
def test_the_observed_earth_is_read(planet_config, fetched) -> None:
    def of(kind: str, **more: Any) -> Any:
        return fetched(
            planet_config("earth", kind, rasters=str(OBSERVED), source="files", **more), "earth", kind
        ).values

    height = of("elevation", path="{rasters}/earth_elevation.tif", nodata_means="sea")
    land = (height != SEA) & (height != VOID)
    assert 0.27 < np.average(land.mean(axis=1), weights=np.cos(np.radians(LAT))) < 0.31
    assert 4500 < height[57:59, 265:272].mean() < 5300  # Tibet
    months = of("temperature", path="{rasters}/earth_temperature.tif", unit="0.1degC", first_month_band=2) * 0.1
    assert np.average(months.mean(axis=(1, 2)), weights=np.cos(np.radians(LAT))) == pytest.approx(14.6, abs=0.3)
    assert months[28, 310, 0] < -25 and months[28, 310, 6] > 10  # Yakutia in January and July
    rain = of("precipitation", path="{rasters}/earth_precipitation.tif", unit="mm/month", bands=list(range(2, 14)))
    assert np.average(rain.sum(axis=-1).mean(axis=1), weights=np.cos(np.radians(LAT))) == pytest.approx(1061, rel=0.05)
    july = of("imagery", path="{rasters}/earth_imagery_bmng07.tif")
    assert july[67, 195].mean() > 150 > 90 > july[93, 118].mean()  # the Sahara and the Amazon


@observed
def test_the_observed_mars_is_read(planet_config, fetched) -> None:
    config = planet_config(
        "mars", "elevation", rasters=str(OBSERVED), source="files", path="{rasters}/mars_elevation.tif"
    )
    height = fetched(config, "mars", "elevation").values
    assert height.max() > 17_000 and height.min() < -7_000  # Olympus Mons and Hellas
    assert height[90 - 19, 180 - 134] > 15_000 and height[90 + 42, 180 + 70] < -5_000
