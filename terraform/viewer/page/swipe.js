// Tile layers, and the divider between two pictures.
"use strict";

(function () {
  const { carree } = TERRAFORM.planet;
  const { get: state } = TERRAFORM.state;

  /** One pyramid as layers of a map; away from the whole body it is repeated a turn to the east and to the west. */
  function tileLayers(map, pyramid, projection, shrink, common) {
    const turns = pyramid.wraps || projection !== carree ? [0] : [-360, 0, 360];
    return turns.map((turn) => tileLayer(map, pyramid, projection, shrink, turn, common));
  }

  function tileLayer(map, pyramid, projection, shrink, turn, common) {
    const [across, down] = [pyramid.pixel[0] * shrink, pyramid.pixel[1]];
    const west = (pyramid.west + turn) * shrink;
    const extent = [west, pyramid.north - pyramid.height * down, west + pyramid.width * across, pyramid.north];
    const resolutions = [];
    for (let level = 0; level < pyramid.levels; level += 1) resolutions.push(down * 2 ** (pyramid.levels - 1 - level));
    const tileGrid = new ol.tilegrid.TileGrid({ origin: [west, pyramid.north], extent, resolutions, tileSize: pyramid.tile });
    const options = { projection, tileGrid, wrapX: pyramid.wraps, transition: 0 };
    const layer = new ol.layer.Tile({ source: pyramid.cog ? fileSource(pyramid, options) : tileSource(pyramid, options), ...common });
    if (!pyramid.wraps) clipTo(layer, map, extent, projection);
    return layer;
  }

  function tileSource({ path, transparent }, options) {
    const special = new Set(transparent);
    const address = (place) => `${path}/${place}.${special.has(place) ? "webp" : "jpg"}`;
    return new ol.source.XYZ({ ...options, tileUrlFunction: (place) => address(place.join("/")) });
  }

  function fileSource(pyramid, options) {
    return new ol.source.ImageTile({ ...options, loader: TERRAFORM.cog.loader(pyramid) });
  }

  /** Show nothing of a layer outside of a box: its tiles reach farther. */
  function clipTo(layer, map, extent, projection) {
    const shown = map.getView().getProjection();
    if (shown === projection) {
      layer.setExtent(extent);
      return;
    }
    const [west, south, east, north] = extent, steps = 32;
    const ring = [];
    for (const [from, to, lat] of [[west, east, south], [east, west, north]]) {
      for (let k = 0; k <= steps; k += 1) ring.push(ol.proj.transform([from + ((to - from) * k) / steps, lat], projection, shown));
    }
    clip(layer, (event) => ring.map((at) => ol.render.getRenderPixel(event, map.getPixelFromCoordinate(at))));
  }

  /** Show only what is right of the divider. */
  function clipRight(layer, map) {
    clip(layer, (event) => {
      const [width, height] = map.getSize(), left = width * state.swipe;
      return [[left, 0], [width, 0], [width, height], [left, height]].map((at) => ol.render.getRenderPixel(event, at));
    });
  }

  /** Show only what is within a polygon, whose corners a function of the event gives in pixels. */
  function clip(layer, corners) {
    layer.on("prerender", (event) => {
      event.context.save();
      event.context.beginPath();
      corners(event).forEach(([x, y]) => event.context.lineTo(x, y));
      event.context.clip();
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
