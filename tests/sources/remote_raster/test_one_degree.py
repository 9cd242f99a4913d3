"""Tiles of one degree: which ones a window touches, across the antimeridian too."""

from hypothesis import given
from hypothesis import strategies as st

from terraform.geo.bodies import EARTH
from terraform.geo.grid import RasterGrid
from terraform.geo.resample import Axis
from terraform.sources.remote_raster.one_degree import Cell, cells, share


def window(west: float, south: float, east: float, north: float) -> RasterGrid:
    return RasterGrid(EARTH, Axis(north, -(north - south) / 10, 10), Axis(west, (east - west) / 10, 10))


def test_cells_of_a_window() -> None:
    assert cells(window(8.2, 45.9, 9.1, 46.1)) == [Cell(46, 8), Cell(46, 9), Cell(45, 8), Cell(45, 9)]
    assert cells(window(8, 46, 9, 47)) == [Cell(46, 8)]
    assert cells(window(-0.5, -0.5, 0.5, 0.5)) == [Cell(0, -1), Cell(0, 0), Cell(-1, -1), Cell(-1, 0)]


def test_the_antimeridian_is_crossed() -> None:
    assert cells(window(179.5, 10.2, 180.5, 10.4)) == [Cell(10, 179), Cell(10, -180)]
    assert cells(window(-180.5, 10.2, -179.5, 10.4)) == [Cell(10, 179), Cell(10, -180)]


def test_names() -> None:
    assert (Cell(46, 8).latitude, Cell(46, 8).longitude) == ("N46", "E008")
    assert (Cell(-1, -180).latitude, Cell(0, -1).longitude) == ("S01", "W001")


@given(
    st.floats(-180, 180), st.floats(-85, 80), st.floats(0.01, 5), st.floats(0.01, 5),
)  # fmt: skip
def test_the_shares_of_the_cells_are_the_window(west: float, south: float, wide: float, tall: float) -> None:
    grid = window(west, south, west + wide, south + tall)
    total = sum(share(cell, grid) for cell in cells(grid))
    assert abs(total - wide * tall) < 1e-6
