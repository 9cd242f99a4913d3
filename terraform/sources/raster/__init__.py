"""Raster files of any form, read as heights or colours on a grid in degrees."""
