"""Files of a mosaic: cloud-optimised GeoTIFF, STAC item, preview. No pixel depends on it."""
