"""Drawing another body with a trained generator: bands, caps, mosaics."""
