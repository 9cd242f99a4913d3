// Heights: of the whole body in coarse cells, and of regions in finer ones that are loaded when a pointer comes there.
"use strict";

(function () {
  const { manifest, wrap } = TERRAFORM.planet;
  const unknown = -32768;
  const fine = new Map();
  let coarse = null;

  /** Unpack heights: zlib of the differences along each row. */
  async function unpacked(packed) {
    const bytes = Uint8Array.from(atob(packed.data), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    const metres = new Int16Array(await new Response(stream).arrayBuffer());
    for (let row = 0; row < packed.height; row += 1) {
      const start = row * packed.width;
      for (let column = 1; column < packed.width; column += 1) metres[start + column] += metres[start + column - 1];
    }
    return metres;
  }

  /** Load the heights of the whole body. */
  async function loadHeights() {
    if (coarse) return coarse;
    const packed = await TERRAFORM.load("heights");
    const { width, height } = packed;
    coarse = { metres: await unpacked(packed), width, height, west: -180, north: 90, pixel: [360 / width, 180 / height], wraps: true };
    return coarse;
  }

  /** Column and row of a place in a grid, counted from the middle of its first cell. */
  function cellOf(grid, lon, lat) {
    const east = grid.wraps ? wrap(lon) + 180 : (((lon - grid.west) % 360) + 360) % 360;
    return [east / grid.pixel[0] - 0.5, (grid.north - lat) / grid.pixel[1] - 0.5];
  }

  function holds(grid, lon, lat) {
    const [x, y] = cellOf(grid, lon, lat);
    return x >= 0 && y >= 0 && x <= grid.width - 1 && y <= grid.height - 1;
  }

  /** Bilinear between the cells' middles; NaN where a cell is unknown. */
  function between(grid, lon, lat) {
    const [x, down] = cellOf(grid, lon, lat);
    const y = Math.min(Math.max(down, 0), grid.height - 1);
    const left = Math.floor(x), top = Math.max(Math.min(Math.floor(y), grid.height - 2), 0);
    const column = (at) => (grid.wraps ? (at + grid.width) % grid.width : Math.min(at, grid.width - 1));
    const at = (row, col) => {
      const metres = grid.metres[Math.min(row, grid.height - 1) * grid.width + column(col)];
      return metres === unknown ? NaN : metres;
    };
    const u = x - left, v = y - top;
    return (at(top, left) * (1 - u) + at(top, left + 1) * u) * (1 - v) + (at(top + 1, left) * (1 - u) + at(top + 1, left + 1) * u) * v;
  }

  /** Height above the datum in coarse cells, metres; NaN before they are there. */
  function coarseHeightAt(lon, lat) {
    return coarse ? between(coarse, lon, lat) : NaN;
  }

  /** Height above the datum in the finest cells that are there, metres; NaN before there are any. */
  function heightAt(lon, lat) {
    for (const grid of fine.values()) {
      const metres = grid.metres && holds(grid, lon, lat) ? between(grid, lon, lat) : NaN;
      if (Number.isFinite(metres)) return metres;
    }
    return coarseHeightAt(lon, lat);
  }

  /** Load the finer heights of the regions that hold a place, each once; then call back, if any came. */
  async function loadFiner(lon, lat, then) {
    const wanted = manifest.regions.filter(({ heights }) => heights && !fine.has(heights.name) && holds(heights, lon, lat));
    for (const { heights } of wanted) fine.set(heights.name, heights);
    for (const { heights } of wanted) fine.set(heights.name, { ...heights, metres: await unpacked(await TERRAFORM.load(heights.name)) });
    if (wanted.length) then();
  }

  Object.assign(TERRAFORM.planet, { loadHeights, coarseHeightAt, heightAt, loadFiner });
})();
