// Meridians and parallels, as dense as the view asks for, with their degrees.
"use strict";

(function () {
  const { carree, wrap } = TERRAFORM.planet;
  const steps = [30, 15, 10, 5, 2, 1, 0.5, 0.2, 0.1];

  const line = (text) => [
    new ol.style.Style({ stroke: new ol.style.Stroke({ color: "rgba(0,0,0,0.35)", width: 2.5 }) }),
    new ol.style.Style({
      stroke: new ol.style.Stroke({ color: "rgba(255,255,255,0.5)", width: 1 }),
      text: new ol.style.Text({
        text, placement: "point", overflow: true, font: "11px system-ui, sans-serif",
        fill: new ol.style.Fill({ color: "#fff" }), stroke: new ol.style.Stroke({ color: "rgba(0,0,0,0.7)", width: 3 }),
      }),
    }),
  ];

  const rounded = (value) => Number(value.toFixed(3));
  const parallel = (lat) => `${rounded(Math.abs(lat))}\u00b0${lat > 0 ? " N" : lat < 0 ? " S" : ""}`;
  const meridian = (lon) => `${rounded((((lon % 360) + 360) % 360))}\u00b0 E`;

  function feature(points, text, at) {
    const lines = new ol.Feature({ geometry: new ol.geom.LineString(points) });
    lines.setStyle(line("").slice(0, 2));
    const label = new ol.Feature({ geometry: new ol.geom.Point(at) });
    label.setStyle(line(text)[1]);
    return [lines, label];
  }

  function range(low, high, step) {
    const found = [];
    for (let at = Math.ceil(low / step) * step; at <= high + 1e-9; at += step) found.push(at);
    return found;
  }

  function flat(extent, step) {
    const [west, south, east, north] = [extent[0], Math.max(extent[1], -90), extent[2], Math.min(extent[3], 90)];
    const inset = [(east - west) * 0.04, (north - south) * 0.05];
    const meridians = range(west, east, step).map((lon) => feature([[lon, south], [lon, north]], meridian(lon), [lon, north - inset[1]]));
    const parallels = range(south, north, step).map((lat) => feature([[west, lat], [east, lat]], parallel(lat), [west + inset[0], lat]));
    return [...meridians, ...parallels].flat();
  }

  function round(projection, sign, step) {
    const to = (lon, lat) => ol.proj.transform([lon, lat], carree, projection);
    const lats = range(30, 90 - step, Math.min(step, 10));
    const circles = lats.map((lat) => feature(range(-180, 180, 2).map((lon) => to(lon, sign * lat)), parallel(sign * lat), to(45, sign * lat)));
    const rays = range(-180, 179, Math.max(step, 10)).map((lon) => feature([to(lon, sign * 30), to(lon, sign * 89)], meridian(wrap(lon)), to(lon, sign * 52)));
    return [...circles, ...rays].flat();
  }

  /** A layer that draws itself anew when the view comes to rest. */
  function layer(map) {
    const source = new ol.source.Vector({ wrapX: false });
    const vector = new ol.layer.Vector({ source, zIndex: 50, updateWhileInteracting: true });
    const draw = () => {
      if (!vector.getVisible() || !map.getSize()) return;
      const view = map.getView(), projection = view.getProjection();
      const extent = view.calculateExtent(map.getSize());
      const wide = projection === carree ? extent[2] - extent[0] : ((extent[2] - extent[0]) / TERRAFORM.planet.radius) * 57.3;
      const step = steps.find((size) => wide / size >= 5) || steps[steps.length - 1];
      source.clear(true);
      source.addFeatures(projection === carree ? flat(extent, step) : round(projection, projection.getCode().endsWith("north") ? 1 : -1, step));
    };
    map.on("moveend", draw);
    vector.on("change:visible", draw);
    return vector;
  }

  TERRAFORM.graticule = { layer };
})();
