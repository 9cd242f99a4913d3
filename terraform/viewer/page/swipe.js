// Tile layers, and the divider between two pictures.
"use strict";

(function () {
  const { carree } = TERRAFORM.planet;
  const { get: state } = TERRAFORM.state;

  /** One pyramid as layers; away from the whole body it is repeated a turn to the east and to the west. */
  function tileLayers(pyramid, projection, shrink, common) {
    const turns = pyramid.wraps || projection !== carree ? [0] : [-360, 0, 360];
    return turns.map((turn) => tileLayer(pyramid, projection, shrink, turn, common));
  }

  function tileLayer(pyramid, projection, shrink, turn, common) {
    const [across, down] = [pyramid.pixel[0] * shrink, pyramid.pixel[1]];
    const west = (pyramid.west + turn) * shrink;
    const extent = [west, pyramid.north - pyramid.height * down, west + pyramid.width * across, pyramid.north];
    const resolutions = [];
    for (let level = 0; level < pyramid.levels; level += 1) resolutions.push(down * 2 ** (pyramid.levels - 1 - level));
    const tileGrid = new ol.tilegrid.TileGrid({ origin: [west, pyramid.north], extent, resolutions, tileSize: pyramid.tile });
    const source = new ol.source.XYZ({
      projection, tileGrid, wrapX: pyramid.wraps, transition: 0,
      tileUrlFunction: ([level, column, row]) => `${pyramid.path}/${level}/${column}/${row}.webp`,
    });
    return new ol.layer.Tile({ source, extent: pyramid.wraps ? undefined : extent, ...common });
  }

  /** Show only what is right of the divider. */
  function clipRight(layer, map) {
    layer.on("prerender", (event) => {
      const context = event.context, size = map.getSize();
      const corner = ol.render.getRenderPixel(event, [size[0] * state.swipe, 0]);
      const end = ol.render.getRenderPixel(event, size);
      context.save();
      context.beginPath();
      context.rect(corner[0], corner[1], end[0] - corner[0], end[1] - corner[1]);
      context.clip();
    });
    layer.on("postrender", (event) => event.context.restore());
  }

  const divider = document.getElementById("divider");
  const slider = document.getElementById("swipe");

  /** Place the divider, with a word on what lies on each side. */
  function showDivider(visible, left, right) {
    divider.hidden = slider.hidden = !visible;
    divider.style.left = `${state.swipe * 100}%`;
    slider.value = Math.round(state.swipe * 1000);
    document.getElementById("label-a").textContent = left;
    document.getElementById("label-b").textContent = right;
  }

  slider.addEventListener("input", () => TERRAFORM.state.set({ swipe: slider.value / 1000 }, "slider"));

  // The divider itself can be dragged too: the slider's track lies at the foot of the picture.
  divider.addEventListener("pointerdown", (event) => {
    divider.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  divider.addEventListener("pointermove", (event) => {
    if (!divider.hasPointerCapture(event.pointerId)) return;
    const box = divider.parentElement.getBoundingClientRect();
    TERRAFORM.state.set({ swipe: Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1) }, "divider");
  });

  TERRAFORM.swipe = { tileLayers, clipRight, showDivider };
})();
