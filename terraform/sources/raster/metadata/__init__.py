"""What a file, the files beside it and the user say of a raster: CRS, place, unit, missing value."""
