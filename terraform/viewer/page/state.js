// What is shown, kept in the address so that a link brings it back.
"use strict";

(function () {
  const { manifest } = TERRAFORM.planet;
  const names = manifest.layers.map((layer) => layer.name);
  const regions = manifest.comparisons.map((region) => region.name);
  const one = (of) => (text) => (of.includes(text) ? text : undefined);
  const number = (low, high) => (text) => {
    const value = text.trim() === "" ? NaN : Number(text);
    return Number.isFinite(value) ? Math.min(Math.max(value, low), high) : undefined;
  };
  const flag = (text) => ({ 1: true, 0: false }[text]);

  // Key in the address: name, how it is read, what holds without it.
  const fields = {
    view: ["view", one(["globe", "map", "earth"]), "globe"],
    a: ["a", one(names), names[0]],
    b: ["b", one(names), names.includes("relief") ? "relief" : names[names.length - 1]],
    compare: ["compare", flag, false],
    swipe: ["swipe", number(0, 1), 0.5],
    opacity: ["opacity", number(0, 1), 1],
    projection: ["projection", one(["equirectangular", "north", "south"]), "equirectangular"],
    lon: ["lon", number(-180, 180), -40],
    lat: ["lat", number(-90, 90), 5],
    zoom: ["zoom", number(0, 20), undefined],
    graticule: ["graticule", flag, false],
    names: ["names", flag, true],
    turn: ["turn", flag, true],
    region: ["region", one(regions), regions[0]],
  };

  const listeners = [];
  const state = {};
  for (const [key, [, , standard]] of Object.entries(fields)) state[key] = standard;
  if (window.matchMedia("(prefers-reduced-motion: reduce)").matches) state.turn = false;

  function read() {
    const given = new URLSearchParams(location.hash.slice(1));
    const found = {};
    for (const [key, [, parse]] of Object.entries(fields)) {
      const value = given.has(key) ? parse(given.get(key)) : undefined;
      if (value !== undefined) found[key] = value;
    }
    return found;
  }

  function short(value) {
    if (typeof value === "boolean") return value ? "1" : "0";
    return typeof value === "number" ? String(Number(value.toFixed(4))) : value;
  }

  let timer = 0;
  function write() {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const shown = new URLSearchParams();
      for (const [key, [, , standard]] of Object.entries(fields)) {
        if (state[key] !== undefined && state[key] !== standard) shown.set(key, short(state[key]));
      }
      history.replaceState(null, "", `#${shown}`);
    }, 150);
  }

  /** Change what is shown; everyone is told the keys that changed, and who did it. */
  function set(change, by) {
    const keys = Object.keys(change).filter((key) => change[key] !== undefined && state[key] !== change[key]);
    for (const key of keys) state[key] = change[key];
    if (!keys.length) return;
    listeners.forEach((listener) => listener(new Set(keys), by));
    write();
  }

  Object.assign(state, read());
  window.addEventListener("hashchange", () => set(read(), "address"));
  TERRAFORM.state = { get: state, set, listen: (listener) => listeners.push(listener) };
})();
