// The body: its projections, and how places are written.
"use strict";

(function () {
  const manifest = TERRAFORM.data.manifest;
  const radius = manifest.body.radius_m;
  const degree = Math.PI / 180;
  const wrap = (lon) => ((((lon + 180) % 360) + 360) % 360) - 180;

  // Plate carree in degrees. OpenLayers multiplies what this gives by metersPerUnit: degrees along the parallel.
  const carree = new ol.proj.Projection({
    code: "plate-carree", units: "degrees", extent: [-180, -90, 180, 90], global: true, axisOrientation: "enu",
    metersPerUnit: radius * degree, getPointResolution: (resolution, at) => resolution * Math.max(Math.cos(at[1] * degree), 0.01),
  });
  ol.proj.addProjection(carree);

  /** Polar stereographic on the sphere (Snyder 1987, eq. 21-1 to 21-8), metres; 0 E is down in the north, up in the south. */
  function polar(code, sign) {
    const edge = 2 * radius * Math.tan(Math.PI / 4 - (30 * degree) / 2);
    const projection = new ol.proj.Projection({
      code, units: "m", extent: [-edge, -edge, edge, edge],
      getPointResolution: (resolution, at) => resolution / (1 + (at[0] * at[0] + at[1] * at[1]) / (4 * radius * radius)),
    });
    const forward = ([lon, lat]) => {
      const away = 2 * radius * Math.tan(Math.PI / 4 - (Math.max(sign * lat, -80) * degree) / 2);
      return [away * Math.sin(lon * degree), -sign * away * Math.cos(lon * degree)];
    };
    const inverse = ([x, y]) => {
      const away = Math.hypot(x, y);
      return [Math.atan2(x, -sign * y) / degree, sign * (90 - (2 * Math.atan(away / (2 * radius))) / degree)];
    };
    ol.proj.addProjection(projection);
    ol.proj.addCoordinateTransforms(carree, projection, forward, inverse);
    return projection;
  }

  const projections = { equirectangular: carree, north: polar("polar-north", 1), south: polar("polar-south", -1) };

  /** Longitude and latitude of a place on the map. */
  function toDegrees(at, projection) {
    const [lon, lat] = ol.proj.transform(at, projection, carree);
    return [wrap(lon), lat];
  }

  function written(lon, lat) {
    const east = ((lon % 360) + 360) % 360;
    return `${Math.abs(lat).toFixed(3)}\u00b0 ${lat < 0 ? "S" : "N"}  ${east.toFixed(3)}\u00b0 E`;
  }

  TERRAFORM.planet = { manifest, radius, degree, wrap, carree, projections, toDegrees, written };
})();
