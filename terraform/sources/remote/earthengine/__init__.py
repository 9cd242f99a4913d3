"""Earth Engine: assets and the images made of them, and the session that asks for their pixels."""
