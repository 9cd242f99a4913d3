"""Bodies, regions, the Haversine grid and rasters: what every other part stands on."""
