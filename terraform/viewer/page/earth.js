// Regions of Earth: real imagery left of the divider, generated right of it.
"use strict";

(function () {
  const { manifest } = TERRAFORM.planet;
  const { get: state, listen } = TERRAFORM.state;
  const { tileLayers, clipRight, showDivider } = TERRAFORM.swipe;
  const byName = Object.fromEntries(manifest.comparisons.map((region) => [region.name, region]));
  const earthRadius = 6371008.8;
  let map = null;

  const scale = new ol.control.ScaleLine({ units: "metric", target: "scale-earth", minWidth: 72 });

  /** Degrees with the longitudes shrunk, so that the region's middle has its true shape. */
  function localProjection(region) {
    const extent = extentOf(region);
    return new ol.proj.Projection({
      code: `local-${region.name}`, units: "degrees", extent, metersPerUnit: (earthRadius * Math.PI) / 180,
      getPointResolution: (resolution) => resolution,
    });
  }

  function extentOf(region) {
    const { west, north, pixel, width, height } = region.real;
    const left = west * region.shrink;
    return [left, north - height * pixel[1], left + width * pixel[0] * region.shrink, north];
  }

  function showRegion() {
    const region = byName[state.region];
    if (!region) return;
    const projection = localProjection(region), extent = extentOf(region);
    const pixel = region.real.pixel[1];
    map.setLayers([]);
    map.setView(new ol.View({
      projection, extent, showFullExtent: true, enableRotation: false, minResolution: pixel / 6, maxResolution: pixel * 64,
      center: ol.extent.getCenter(extent), resolution: pixel * 4,
    }));
    const [width, height] = map.getSize();
    // The region fills the window; zooming out shows it whole.
    map.getView().setResolution(Math.min(ol.extent.getWidth(extent) / width, ol.extent.getHeight(extent) / height));
    const [left, right] = ["real", "generated"].map((what, k) =>
      tileLayers(map, region[what], projection, region.shrink, { className: `layer-${what}`, zIndex: k }));
    right.forEach((layer) => clipRight(layer, map));
    for (const layer of [...left, ...right]) map.addLayer(layer);
    divide();
  }

  function divide() {
    if (state.view === "earth" && manifest.comparisons.length) showDivider(true, "Real (Sentinel-2)", "Generated");
    map.render();
  }

  function start() {
    map = new ol.Map({ target: "earth", controls: [new ol.control.Zoom(), scale], layers: [], keyboardEventTarget: document.getElementById("earth") });
    map.on("pointermove", (event) => {
      const region = byName[state.region];
      if (region) TERRAFORM.readout(event.coordinate[0] / region.shrink, event.coordinate[1], true);
    });
    map.updateSize();
    showRegion();
  }

  listen((keys) => {
    if (!map) return;
    if (keys.has("region")) showRegion();
    if (keys.has("swipe") || keys.has("view")) divide();
  });

  TERRAFORM.earth = {
    show() {
      if (!map) start();
      map.updateSize();
      divide();
    },
    object: () => map,
  };
})();
