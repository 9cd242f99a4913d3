"""Mars, where there is no truth: tiles of mosaics, distances beside floors, what lies outside Earth."""
