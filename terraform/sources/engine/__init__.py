"""Earth Engine: assets and the images made of them, the windows asked for, the session that asks."""
