// The map: layers of tiles, the divider between two of them, names, scale bar, coordinates.
"use strict";

(function () {
  const { manifest, radius, carree, projections, toDegrees, wrap, degree } = TERRAFORM.planet;
  const { get: state, set, listen } = TERRAFORM.state;
  const { tileLayers, clipRight, showDivider } = TERRAFORM.swipe;
  const byName = Object.fromEntries(manifest.layers.map((layer) => [layer.name, layer]));
  const finest = Math.min(...manifest.layers.flatMap((layer) => layer.pyramids.map((pyramid) => pyramid.pixel[1]))) / 8;
  let map = null, graticule = null, labels = null, quiet = false;

  const scale = new ol.control.ScaleLine({ units: "metric", target: "scale-map", minWidth: 72 });

  function label(text, strong) {
    return new ol.style.Text({
      text, font: `${strong ? 600 : 400} 12px system-ui, sans-serif`, offsetY: strong ? 0 : -11, overflow: true,
      fill: new ol.style.Fill({ color: strong ? "#ffe9a8" : "#fff" }), stroke: new ol.style.Stroke({ color: "rgba(0,0,0,0.75)", width: 3 }),
    });
  }

  /** Names of features that are at least a few pixels large, and outlines of the regions that are drawn in detail. */
  function nameLayer() {
    const source = new ol.source.Vector({ wrapX: true });
    const vector = new ol.layer.Vector({ source, zIndex: 60, declutter: true });
    const dot = new ol.style.Circle({ radius: 2.5, fill: new ol.style.Fill({ color: "#fff" }), stroke: new ol.style.Stroke({ color: "rgba(0,0,0,0.7)", width: 1 }) });
    vector.setStyle((feature, resolution) => {
      const metres = map.getView().getProjection() === carree ? resolution * degree * radius : resolution;
      const region = feature.get("region");
      const pixels = (feature.get("size") * 1000) / metres;
      if (region) {
        const frame = new ol.style.Style({ stroke: new ol.style.Stroke({ color: "rgba(255,226,140,0.9)", width: 1.5 }) });
        return pixels > 3000 ? [] : [frame];
      }
      if (pixels < 36 || pixels > 6000) return [];
      return [new ol.style.Style({ image: dot, text: label(feature.get("name"), false), zIndex: feature.get("size") })];
    });
    return vector;
  }

  function fillNames(projection) {
    const source = labels.getSource();
    source.clear(true);
    const north = projection === projections.north, south = projection === projections.south;
    for (const place of manifest.places) {
      if ((north && place.lat_deg < 30) || (south && place.lat_deg > -30)) continue;
      const at = ol.proj.transform([place.lon_deg, place.lat_deg], carree, projection);
      source.addFeature(new ol.Feature({ geometry: new ol.geom.Point(at), name: place.name, size: place.size_km }));
    }
    for (const region of manifest.regions) {
      const [west, low, east, high] = region.bounds;
      if ((north && low < 30) || (south && high > -30)) continue;
      const ring = [];
      for (let k = 0; k <= 20; k += 1) ring.push([west + ((east - west) * k) / 20, low]);
      for (let k = 20; k >= 0; k -= 1) ring.push([west + ((east - west) * k) / 20, high]);
      ring.push(ring[0]);
      const geometry = new ol.geom.Polygon([ring.map((at) => ol.proj.transform(at, carree, projection))]);
      source.addFeature(new ol.Feature({ geometry, name: region.title, region: true, size: (high - low) * degree * radius / 1000 }));
    }
  }

  function group(name, right) {
    const common = { zIndex: right ? 20 : 10, className: right ? "layer-b" : "layer-a", opacity: right ? state.opacity : 1 };
    const layers = byName[name].pyramids.flatMap((pyramid) => tileLayers(map, pyramid, carree, 1, common));
    if (right) layers.forEach((layer) => clipRight(layer, map));
    return layers;
  }

  let shown = { a: [], b: [] };

  function showLayers() {
    for (const layer of [...shown.a, ...shown.b]) map.removeLayer(layer);
    shown.a = group(state.a, false);
    shown.b = state.compare ? group(state.b, true) : [];
    for (const layer of [...shown.a, ...shown.b]) map.addLayer(layer);
    divide();
  }

  function divide() {
    if (state.view === "map") showDivider(state.compare, byName[state.a].title, byName[state.b].title);
    map.render();
  }

  /** Degrees along a pixel: of zoom 0, and of the whole planet in the window. */
  const coarsest = 360 / 256;
  function whole() {
    const [width, height] = map.getSize() || [1024, 512];
    return { covers: Math.min(180 / height, 360 / width), fits: Math.max(180 / height, 360 / width) };
  }

  function view() {
    const projection = projections[state.projection];
    const flat = projection === carree;
    const unit = flat ? 1 : degree * radius;
    if (state.zoom === undefined) state.zoom = Math.log2(coarsest / (flat ? whole().covers : 110 / Math.min(...map.getSize())));
    const centre = ol.proj.transform([state.lon, state.lat], carree, projection);
    return new ol.View({
      projection, center: centre, showFullExtent: true, constrainOnlyCenter: true,
      resolution: (coarsest * unit) / 2 ** state.zoom, enableRotation: false,
      extent: flat ? [-36000, -90, 36000, 90] : projection.getExtent(), multiWorld: true,
      maxResolution: Math.min(whole().fits, coarsest) * unit, minResolution: finest * unit,
    });
  }

  function showView() {
    map.setView(view());
    fillNames(map.getView().getProjection());
    showLayers();
  }

  function remember() {
    const current = map.getView(), centre = current.getCenter();
    if (!centre || quiet) return;
    const [lon, lat] = toDegrees(centre, current.getProjection());
    const unit = current.getProjection() === carree ? 1 : degree * radius;
    set({ lon, lat, zoom: Math.log2((coarsest * unit) / current.getResolution()) }, "map");
  }

  function start() {
    map = new ol.Map({
      target: "map", layers: [], keyboardEventTarget: document.getElementById("map"),
      controls: [new ol.control.Zoom(), scale],
    });
    map.updateSize();
    map.setView(view());
    labels = nameLayer();
    graticule = TERRAFORM.graticule.layer(map);
    labels.setVisible(state.names);
    graticule.setVisible(state.graticule);
    map.addLayer(graticule);
    map.addLayer(labels);
    showView();
    map.on("moveend", remember);
    map.on("pointermove", (event) => TERRAFORM.readout(...toDegrees(event.coordinate, map.getView().getProjection())));
    map.on("singleclick", (event) => TERRAFORM.readout(...toDegrees(event.coordinate, map.getView().getProjection())));
  }

  /** Fly to a box of `size_km`. */
  function fly(lon, lat, size_km) {
    // Plate carree draws what lies near a pole more than twice too wide.
    const pole = Math.abs(lat) > 60 ? (lat > 0 ? "north" : "south") : "equirectangular";
    if (state.projection !== pole) set({ projection: pole }, "fly");
    const current = map.getView(), projection = current.getProjection();
    const centre = ol.proj.transform([lon, lat], carree, projection);
    if (projection === carree) centre[0] += 360 * Math.round((current.getCenter()[0] - centre[0]) / 360);
    const pixels = Math.min(...map.getSize()) * 0.75;
    const metres = (size_km * 1000) / pixels;
    current.animate({ center: centre, resolution: projection === carree ? metres / (degree * radius) : metres, duration: 900 });
  }

  listen((keys, by) => {
    if (!map) return;
    if (keys.has("projection")) {
      const pole = { north: 90, south: -90 }[state.projection];
      if (by === "panel") Object.assign(state, pole === undefined ? { lat: 5, zoom: undefined } : { lat: pole, lon: 0, zoom: undefined });
      showView();
    } else if (by !== "map" && (keys.has("lon") || keys.has("lat") || keys.has("zoom"))) {
      quiet = true;
      map.setView(view());
      quiet = false;
    }
    if (keys.has("a") || keys.has("b") || keys.has("compare")) showLayers();
    if (keys.has("opacity")) shown.b.forEach((layer) => layer.setOpacity(state.opacity));
    if (keys.has("swipe") || keys.has("view")) divide();
    if (keys.has("graticule")) graticule.setVisible(state.graticule);
    if (keys.has("names")) labels.setVisible(state.names);
  });

  TERRAFORM.map = {
    show() {
      if (!map) start();
      map.updateSize();
      divide();
    },
    fly,
    wrap,
    object: () => map,
  };
})();
