// Reads blocks of cloud-optimised GeoTIFFs by byte ranges, beside the page's own thread.
"use strict";

importScripts("vendor/geotiff.js");

const files = new Map();

/** The pictures of a file and their masks, the coarsest first. */
async function opened(url) {
  const tiff = await GeoTIFF.fromUrl(url);
  const images = await Promise.all(Array.from({ length: await tiff.getImageCount() }, (_, k) => tiff.getImage(k)));
  const coarsestFirst = images.sort((one, other) => one.getWidth() - other.getWidth());
  const isMask = (image) => Boolean(image.fileDirectory.getValue("NewSubfileType") & 4);
  return { pictures: coarsestFirst.filter((image) => !isMask(image)), masks: coarsestFirst.filter(isMask) };
}

/** One block as a picture; what lies outside of the raster, and what its mask hides, is transparent. */
async function block({ pictures, masks }, level, column, row) {
  const image = pictures[level], side = image.getTileWidth();
  const [left, top] = [column * side, row * side];
  const width = Math.min(side, image.getWidth() - left), height = Math.min(side, image.getHeight() - top);
  const window = [left, top, left + width, top + height];
  const [colours, mask] = await Promise.all([
    image.readRGB({ window, interleave: true }),
    masks[level] && masks[level].readRasters({ window, samples: [0], interleave: true }),
  ]);
  const shown = new ImageData(side, side), pixels = shown.data;
  for (let y = 0, from = 0; y < height; y += 1) {
    for (let x = 0, to = y * side * 4; x < width; x += 1, from += 1, to += 4) {
      pixels[to] = colours[from * 3];
      pixels[to + 1] = colours[from * 3 + 1];
      pixels[to + 2] = colours[from * 3 + 2];
      pixels[to + 3] = !mask || mask[from] ? 255 : 0;
    }
  }
  return createImageBitmap(shown);
}

addEventListener("message", async ({ data: { id, url, level, column, row } }) => {
  try {
    if (!files.has(url)) files.set(url, opened(url));
    const picture = await block(await files.get(url), level, column, row);
    postMessage({ id, picture }, { transfer: [picture] });
  } catch (error) {
    files.delete(url);
    postMessage({ id, error: error.message });
  }
});
