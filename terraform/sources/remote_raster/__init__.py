"""Rasters read in parts over the network."""
