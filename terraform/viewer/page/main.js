// The frame around map, globe and comparison: tabs, panel, readout, sources.
"use strict";

(function () {
  const { manifest, written, heightAt, loadFiner, loadHeights } = TERRAFORM.planet;
  const { get: state, set, listen } = TERRAFORM.state;
  const element = (id) => document.getElementById(id);
  const byName = Object.fromEntries(manifest.layers.map((layer) => [layer.name, layer]));
  const body = manifest.body.name.charAt(0).toUpperCase() + manifest.body.name.slice(1);

  let pointed = [NaN, NaN];

  TERRAFORM.readout = (lon, lat, onEarth) => {
    const known = Number.isFinite(lon) && Number.isFinite(lat) && Math.abs(lat) <= 90;
    element("place").textContent = known ? written(lon, lat) : "";
    pointed = known && !onEarth ? [lon, lat] : [NaN, NaN];
    showHeight();
    if (known && !onEarth) loadFiner(lon, lat, showHeight);
  };

  function showHeight() {
    const metres = heightAt(...pointed);
    element("height").textContent = Number.isFinite(metres) ? `${Math.round(metres).toLocaleString("en")} m` : "";
  }

  function option(value, text, parent) {
    const made = document.createElement("option");
    made.value = value;
    made.textContent = text;
    parent.append(made);
  }

  function fillPanel() {
    for (const id of ["layer-a", "layer-b"]) manifest.layers.forEach((layer) => option(layer.name, layer.title, element(id)));
    const places = element("places");
    option("", "a place", places);
    const groups = [["Drawn in detail", manifest.regions.map((region, k) => [`r${k}`, region.title])],
      ["Well-known features", manifest.places.map((place, k) => [`p${k}`, `${place.name} (${place.kind})`])
        .sort((one, other) => one[1].localeCompare(other[1]))]];
    for (const [title, rows] of groups) {
      if (!rows.length) continue;
      const group = document.createElement("optgroup");
      group.label = title;
      rows.forEach(([value, text]) => option(value, text, group));
      places.append(group);
    }
    manifest.comparisons.forEach((region) => option(region.name, region.title, element("earth-region")));
  }

  function fillCredits() {
    const list = element("credit-list");
    const invented = manifest.layers.some((layer) => layer.invented);
    if (invented) row("Input", "Some input is an invented sample world, not a real planet.");
    for (const layer of manifest.layers) row(layer.title, `${layer.attribution}. ${layer.licence}`);
    for (const region of manifest.comparisons) row(region.title, `${region.attribution}. ${region.licence}`);
    function row(name, text) {
      const term = document.createElement("dt"), told = document.createElement("dd");
      term.textContent = name;
      told.textContent = text;
      list.append(term, told);
    }
  }

  /** What the colours of a layer mean: a bar, its numbers, its unit. */
  function legendOf(layer) {
    const { places, colours, unit } = layer.legend;
    const title = document.createElement("p"), bar = document.createElement("canvas"), ends = document.createElement("p");
    title.textContent = `${layer.title}, ${unit.replace("degC", "\u00b0C")}`;
    bar.width = 256;
    bar.height = 10;
    const ink = bar.getContext("2d"), ramp = ink.createLinearGradient(0, 0, bar.width, 0);
    colours.forEach((colour, k) => ramp.addColorStop(k / (colours.length - 1), colour));
    ink.fillStyle = ramp;
    ink.fillRect(0, 0, bar.width, bar.height);
    places.forEach((place) => {
      const mark = document.createElement("span");
      mark.textContent = place.toLocaleString("en");
      ends.append(mark);
    });
    return [title, bar, ends];
  }

  function showLegend() {
    const shown = state.compare && state.view === "map" ? [...new Set([state.a, state.b])] : [state.a];
    const layers = shown.map((name) => byName[name]).filter((layer) => layer.legend);
    element("legend").hidden = !layers.length;
    element("legend").replaceChildren(...layers.flatMap(legendOf));
  }

  function showState() {
    document.body.dataset.view = state.view;
    for (const view of ["globe", "map", "earth"]) element(view).hidden = state.view !== view;
    document.querySelectorAll("#views button").forEach((tab) => {
      tab.setAttribute("aria-selected", String(tab.dataset.view === state.view));
      if (tab.dataset.view === "earth") tab.hidden = !manifest.comparisons.length;
    });
    element("layer-a").value = state.a;
    element("layer-b").value = state.b;
    element("compare").checked = state.compare;
    element("second").hidden = !state.compare;
    element("opacity").value = Math.round(state.opacity * 100);
    element("projection").value = state.projection;
    element("graticule").checked = state.graticule;
    element("names").checked = state.names;
    element("turn").checked = state.turn;
    if (state.region) element("earth-region").value = state.region;
    const region = manifest.comparisons.find((found) => found.name === state.region);
    element("earth-role").textContent = region && region.role ? `This region was ${region.role}: the network never saw its imagery.`.replace(/: the.*$/, region.role.startsWith("held") ? "$&" : ".") : "";
    showLegend();
  }

  function showView() {
    TERRAFORM.swipe.showDivider(false, "", "");
    TERRAFORM.readout(NaN, NaN);
    TERRAFORM.globe.show(state.view === "globe");
    if (state.view === "map") TERRAFORM.map.show();
    if (state.view === "earth") TERRAFORM.earth.show();
  }

  function fly(value) {
    if (!value) return;
    const region = value[0] === "r" ? manifest.regions[Number(value.slice(1))] : null;
    const place = region ? null : manifest.places[Number(value.slice(1))];
    const box = region && region.bounds;
    const lon = box ? (box[0] + box[2]) / 2 : place.lon_deg, lat = box ? (box[1] + box[3]) / 2 : place.lat_deg;
    const size = box ? (box[3] - box[1]) * TERRAFORM.planet.degree * TERRAFORM.planet.radius / 1000 : place.size_km;
    (state.view === "globe" ? TERRAFORM.globe : TERRAFORM.map).fly(lon, lat, size * 1.2);
    if (window.matchMedia("(max-width: 720px)").matches) openPanel(false);
  }

  function openPanel(open) {
    document.body.classList.toggle("panel-open", open);
    element("menu").setAttribute("aria-expanded", String(open));
  }

  function listenToPanel() {
    const selects = { "layer-a": "a", "layer-b": "b", projection: "projection", "earth-region": "region" };
    for (const [id, key] of Object.entries(selects)) element(id).addEventListener("change", (event) => set({ [key]: event.target.value }, "panel"));
    for (const key of ["compare", "graticule", "names", "turn"]) element(key).addEventListener("change", (event) => set({ [key]: event.target.checked }, "panel"));
    element("opacity").addEventListener("input", (event) => set({ opacity: event.target.value / 100 }, "panel"));
    element("places").addEventListener("change", (event) => fly(event.target.value));
    document.querySelectorAll("#views button").forEach((tab) => tab.addEventListener("click", () => set({ view: tab.dataset.view }, "panel")));
    element("menu").addEventListener("click", () => openPanel(!document.body.classList.contains("panel-open")));
    element("sources").addEventListener("click", () => element("credits").showModal());
    element("fullscreen").addEventListener("click", () => {
      if (document.fullscreenElement) document.exitFullscreen();
      else document.documentElement.requestFullscreen();
    });
    element("fullscreen").hidden = !document.fullscreenEnabled;
  }

  element("title").textContent = document.title = `${body}, terraformed`;
  fillPanel();
  fillCredits();
  listenToPanel();
  openPanel(window.matchMedia("(min-width: 721px)").matches);
  listen((keys) => {
    showState();
    if (keys.has("view")) showView();
  });
  showState();
  showView();
  loadHeights();
})();
