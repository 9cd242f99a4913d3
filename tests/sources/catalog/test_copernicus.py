"""GLO-30 and GLO-90 from a real server."""

import json
from pathlib import Path

import numpy as np
from servers.buckets import copernicus, copernicus_list
from servers.degree_tiles import assert_is_the_surface, fetched, glo, region
from servers.nginx import Nginx
from servers.surface import height_m

from terraform.geo.heights import SEA


def test_copernicus_narrows_northwards_and_fills_from_glo_90(file_server: Nginx, tiles: Path, tmp_path: Path) -> None:
    copernicus(tiles / "fine", 49, 8)
    copernicus(tiles / "fine", 50, 8, width=270)
    copernicus(tiles / "coarse", 49, 9, "30", side=400)
    for folder in ("fine", "coarse"):
        copernicus_list(tiles / folder)
    values, grid = fetched(
        glo(file_server.url, tiles, tmp_path / "c"), region(8.7, 49.8, 9.3, 50.2), tmp_path / "e.tif"
    )
    # The north-eastern tile is in neither list.
    wet = (np.add.outer(grid.latitudes.centres(), np.zeros(values.shape[1])) > 50.002) & (
        grid.longitudes.centres()[None, :] > 9.002
    )
    clear = wet | ((grid.latitudes.centres()[:, None] < 49.998) | (grid.longitudes.centres()[None, :] < 8.998))
    lon, lat = np.meshgrid(grid.longitudes.centres(), grid.latitudes.centres())
    off = np.abs(values - height_m(lon, lat))[clear & ~wet]
    assert (values[wet] == SEA).all() and off.max() < 6
    made = json.loads((tmp_path / "e.json").read_text())
    assert made["licence"] == "LicenseRef-Copernicus-DEM" and "liab" not in made["licence"]
    assert sorted(f["url"].rpartition("_COG_")[2][:2] for f in made["details"]["files"]) == ["10", "10", "30"]


def test_copernicus_is_exact_where_pixels_are_kept(file_server: Nginx, tiles: Path, tmp_path: Path) -> None:
    copernicus(tiles / "fine", -1, -1)
    copernicus(tiles / "fine", -1, 0)
    for folder in ("fine", "coarse"):
        (tiles / folder).mkdir(exist_ok=True)
        copernicus_list(tiles / folder)
    values, grid = fetched(
        glo(file_server.url, tiles, tmp_path / "c"), region(-0.3, -0.6, 0.3, -0.4), tmp_path / "e.tif"
    )
    assert_is_the_surface(values, grid)
