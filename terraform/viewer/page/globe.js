// The globe: relief in 3D under a sun, an atmosphere, the layers of the map as one picture each.
"use strict";

(function () {
  const { degree, wrap, loadHeights, radius } = TERRAFORM.planet;
  const { get: state, set, listen } = TERRAFORM.state;
  const section = document.getElementById("globe");
  // Without a graphics processor smooth edges cost four times the work, and turning would never rest.
  const probe = document.createElement("canvas").getContext("webgl2", { failIfMajorPerformanceCaveat: true });
  const isFast = Boolean(probe);
  if (probe && probe.getExtension("WEBGL_lose_context")) probe.getExtension("WEBGL_lose_context").loseContext();
  const columns = isFast ? 384 : 192, rows = columns / 2, exaggeration = 6;
  const [nearest, farthest] = [1.25, 8];
  let renderer = null, scene = null, camera = null, surface = null, sky = null, raised = false;
  let asked = 0, lastTime = 0, pictures = {}, target = null;
  const speed = { lon: 0, lat: 0 };
  const eye = { lon: state.lon, lat: state.lat, away: 3.25 };

  const vertex = `
    varying vec3 vNormal; varying vec2 vUv; varying vec3 vPlace;
    void main() {
      vUv = uv; vNormal = normalize(normal); vPlace = position;
      gl_Position = projectionMatrix * modelViewMatrix * vec4(position, 1.0);
    }`;
  const ground = `
    uniform sampler2D picture; uniform vec3 sun; uniform vec3 eye; uniform float water;
    varying vec3 vNormal; varying vec2 vUv; varying vec3 vPlace;
    void main() {
      vec3 colour = texture2D(picture, vUv).rgb;
      vec3 up = normalize(vPlace), toEye = normalize(eye - vPlace), n = normalize(vNormal);
      float sea = water * smoothstep(0.02, 0.14, colour.b - max(colour.r, colour.g * 0.9)) * step(colour.r, 0.35);
      n = normalize(mix(n, up, sea));
      float day = smoothstep(-0.12, 0.22, dot(up, sun));
      float light = 0.04 + day * (0.3 + 0.92 * max(dot(n, sun), 0.0));
      float glint = sea * day * 0.5 * pow(max(dot(n, normalize(sun + toEye)), 0.0), 60.0);
      float rim = pow(1.0 - max(dot(up, toEye), 0.0), 3.0);
      vec3 air = vec3(0.42, 0.66, 1.0) * rim * 0.75 * day;
      gl_FragColor = vec4(colour * light + glint * vec3(1.0, 0.95, 0.85) + air, 1.0);
    }`;
  const air = `
    uniform vec3 sun; uniform vec3 eye; varying vec3 vPlace;
    void main() {
      vec3 toward = normalize(vPlace - eye);
      float closest = length(cross(eye, toward));
      float height = clamp((closest - 1.0) / 0.06, 0.0, 1.0);
      float day = smoothstep(-0.25, 0.35, dot(normalize(eye + toward * dot(-eye, toward)), sun));
      float glow = pow(1.0 - height, 3.0) * day;
      gl_FragColor = vec4(vec3(0.36, 0.6, 1.0) * glow, glow);
    }`;

  const place = (lon, lat, away) => new THREE.Vector3(
    away * Math.cos(lat * degree) * Math.cos(lon * degree), away * Math.sin(lat * degree), -away * Math.cos(lat * degree) * Math.sin(lon * degree));

  /** A sphere whose first and last meridian are the same points with the same light. */
  function sphere(heightOf) {
    const geometry = new THREE.BufferGeometry();
    const positions = [], normals = [], uvs = [], faces = [];
    const lonStep = 360 / columns, latStep = 180 / rows;
    for (let row = 0; row <= rows; row += 1) {
      const lat = 90 - row * latStep;
      for (let column = 0; column <= columns; column += 1) {
        const lon = -180 + (column % columns) * lonStep;
        const at = place(lon, lat, 1 + heightOf(lon, lat));
        positions.push(at.x, at.y, at.z);
        const narrow = Math.max(Math.cos(lat * degree), 0.1);
        const east = (heightOf(lon + lonStep, lat) - heightOf(lon - lonStep, lat)) / (2 * lonStep * degree * narrow);
        const north = (heightOf(lon, Math.min(lat + latStep, 90)) - heightOf(lon, Math.max(lat - latStep, -90))) / (2 * latStep * degree);
        const up = place(lon, lat, 1), toEast = new THREE.Vector3(-Math.sin(lon * degree), 0, -Math.cos(lon * degree));
        const normal = up.clone().addScaledVector(toEast, -east).addScaledVector(up.clone().cross(toEast), -north).normalize();
        normals.push(normal.x, normal.y, normal.z);
        uvs.push(column / columns, 1 - row / rows);
      }
    }
    for (let row = 0; row < rows; row += 1) {
      for (let column = 0; column < columns; column += 1) {
        const first = row * (columns + 1) + column, below = first + columns + 1;
        faces.push(first, below, first + 1, below, below + 1, first + 1);
      }
    }
    geometry.setIndex(faces);
    geometry.setAttribute("position", new THREE.Float32BufferAttribute(positions, 3));
    geometry.setAttribute("normal", new THREE.Float32BufferAttribute(normals, 3));
    geometry.setAttribute("uv", new THREE.Float32BufferAttribute(uvs, 2));
    return geometry;
  }

  function stars() {
    // A fixed sequence: the sky is the same at every visit.
    let seed = 7;
    const next = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
    const points = [], shades = [];
    for (let k = 0; k < 1400; k += 1) {
      const at = place(next() * 360, Math.asin(2 * next() - 1) / degree, 60), shade = 0.25 + 0.75 * next() ** 3;
      points.push(at.x, at.y, at.z);
      shades.push(shade, shade, shade);
    }
    const geometry = new THREE.BufferGeometry();
    geometry.setAttribute("position", new THREE.Float32BufferAttribute(points, 3));
    geometry.setAttribute("color", new THREE.Float32BufferAttribute(shades, 3));
    return new THREE.Points(geometry, new THREE.PointsMaterial({ size: 1.6, sizeAttenuation: false, vertexColors: true }));
  }

  function start() {
    try {
      renderer = new THREE.WebGLRenderer({ antialias: isFast, preserveDrawingBuffer: true });
    } catch {
      const notice = section.querySelector(".notice");
      notice.textContent = "This browser draws no WebGL: the map shows the same.";
      notice.hidden = false;
      return;
    }
    renderer.outputColorSpace = THREE.LinearSRGBColorSpace;
    renderer.setPixelRatio(isFast ? Math.min(window.devicePixelRatio || 1, 2) : 1);
    section.append(renderer.domElement);
    scene = new THREE.Scene();
    camera = new THREE.PerspectiveCamera(38, 1, 0.05, 100);
    const uniforms = { picture: { value: null }, sun: { value: new THREE.Vector3(1, 0, 0) }, eye: { value: new THREE.Vector3() }, water: { value: 1 } };
    surface = new THREE.Mesh(sphere(() => 0), new THREE.ShaderMaterial({ uniforms, vertexShader: vertex, fragmentShader: ground }));
    surface.visible = false;
    sky = new THREE.Mesh(new THREE.SphereGeometry(1.06, 96, 64), new THREE.ShaderMaterial({
      uniforms: { sun: uniforms.sun, eye: uniforms.eye }, vertexShader: vertex, fragmentShader: air,
      side: THREE.BackSide, transparent: true, blending: THREE.AdditiveBlending, depthWrite: false,
    }));
    scene.add(stars(), sky, surface);
    new ResizeObserver(resize).observe(section);
    listenToHands(renderer.domElement);
    resize();
    showPicture();
    loadHeights().then(raise);
  }

  function raise(grid) {
    const factor = exaggeration / radius;
    surface.geometry.dispose();
    surface.geometry = sphere((lon, lat) => TERRAFORM.planet.coarseHeightAt(lon, lat) * factor);
    raised = Boolean(grid);
    ask();
  }

  async function showPicture() {
    const name = state.a;
    if (!pictures[name]) {
      const url = await TERRAFORM.load(`globe-${name}`);
      pictures[name] = await new THREE.TextureLoader().loadAsync(url);
      pictures[name].wrapS = THREE.RepeatWrapping;
      pictures[name].anisotropy = isFast ? Math.min(8, renderer.capabilities.getMaxAnisotropy()) : 1;
    }
    if (state.a !== name) return;
    surface.material.uniforms.picture.value = pictures[name];
    surface.material.uniforms.water.value = name === "terraformed" || name === "base" ? 1 : 0;
    surface.visible = true;
    ask();
  }

  function resize() {
    const { clientWidth: width, clientHeight: height } = section;
    if (!renderer || !width || !height) return;
    renderer.setSize(width, height);
    camera.aspect = width / height;
    // A narrow screen shows the whole disc too.
    camera.fov = camera.aspect >= 1 ? 38 : (2 * Math.atan(Math.tan((38 * degree) / 2) / camera.aspect)) / degree * 1.04;
    camera.updateProjectionMatrix();
    ask();
  }

  function draw() {
    const at = place(eye.lon, eye.lat, eye.away);
    camera.position.copy(at);
    camera.up.set(0, 1, 0);
    camera.lookAt(0, 0, 0);
    surface.material.uniforms.eye.value.copy(at);
    surface.material.uniforms.sun.value.copy(place(eye.lon - 38, 18, 1));
    renderer.render(scene, camera);
  }

  function ask() {
    if (!asked && renderer && state.view === "globe") asked = requestAnimationFrame(frame);
  }

  function frame(now) {
    asked = 0;
    const seconds = Math.min((now - lastTime) / 1000, 0.5);
    lastTime = now;
    let moving = false;
    if (target) {
      const share = 1 - Math.exp(-4 * seconds);
      eye.lon += wrap(target.lon - eye.lon) * share;
      eye.lat += (target.lat - eye.lat) * share;
      eye.away += (target.away - eye.away) * share;
      if (Math.abs(wrap(target.lon - eye.lon)) + Math.abs(target.lat - eye.lat) < 0.02 && Math.abs(target.away - eye.away) < 0.002) target = null;
      moving = true;
    } else if (Math.abs(speed.lon) + Math.abs(speed.lat) > 0.2) {
      eye.lon += speed.lon * seconds;
      eye.lat = Math.min(Math.max(eye.lat + speed.lat * seconds, -89), 89);
      speed.lon *= Math.exp(-3 * seconds);
      speed.lat *= Math.exp(-3 * seconds);
      moving = true;
    } else if (state.turn && isFast && !hands.size) {
      eye.lon -= 4 * seconds;
      moving = true;
    }
    draw();
    if (moving) ask();
    else remember();
  }

  function remember() {
    set({ lon: wrap(eye.lon), lat: eye.lat }, "globe");
  }

  const hands = new Map();
  let spread = 0, moved = 0;

  function listenToHands(canvas) {
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      hands.set(event.pointerId, event);
      speed.lon = speed.lat = moved = 0;
      target = null;
      spread = apart();
    });
    canvas.addEventListener("pointermove", (event) => {
      const before = hands.get(event.pointerId);
      if (!before) return readout(event);
      const perPixel = ((eye.away - 1) * 0.7 * (camera.fov / 38) * 180) / Math.PI / section.clientHeight;
      if (hands.size === 1) {
        const lon = -(event.clientX - before.clientX) * perPixel / Math.max(Math.cos(eye.lat * degree), 0.3);
        const lat = (event.clientY - before.clientY) * perPixel;
        const seconds = Math.max((event.timeStamp - before.timeStamp) / 1000, 0.008);
        moved += Math.abs(event.clientX - before.clientX) + Math.abs(event.clientY - before.clientY);
        eye.lon += lon;
        eye.lat = Math.min(Math.max(eye.lat + lat, -89), 89);
        Object.assign(speed, { lon: lon / seconds, lat: lat / seconds });
      }
      hands.set(event.pointerId, event);
      if (hands.size === 2 && spread) {
        zoom(spread / apart());
        spread = apart();
      }
      if (moved > 6 && state.turn) set({ turn: false }, "globe");
      ask();
    });
    for (const kind of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(kind, (event) => {
        const last = hands.get(event.pointerId);
        hands.delete(event.pointerId);
        if (last && event.timeStamp - last.timeStamp > 80) speed.lon = speed.lat = 0;
        spread = apart();
        if (moved < 4) readout(event);
        ask();
      });
    }
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      zoom(Math.exp(event.deltaY * 0.001));
    }, { passive: false });
    canvas.addEventListener("dblclick", (event) => {
      const at = under(event);
      if (at) set({ lon: at[0], lat: at[1], zoom: 4, projection: "equirectangular", view: "map" }, "globe");
    });
    section.addEventListener("keydown", (event) => {
      const step = 6 * (eye.away - 1) / 2;
      const keys = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
      if (event.key === "+" || event.key === "=") zoom(0.85);
      else if (event.key === "-") zoom(1.18);
      else if (keys[event.key]) {
        const from = target || eye;
        target = { lon: from.lon + keys[event.key][0], lat: Math.min(Math.max(from.lat + keys[event.key][1], -89), 89), away: from.away };
        set({ turn: false }, "globe");
        ask();
      } else return;
      event.preventDefault();
    });
  }

  function apart() {
    const [one, other] = [...hands.values()];
    return other ? Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY) : 0;
  }

  function zoom(factor) {
    eye.away = Math.min(Math.max(1 + (eye.away - 1) * factor, nearest), farthest);
    if (target) target.away = eye.away;
    ask();
  }

  /** Longitude and latitude under the pointer, or null beside the disc. */
  function under(event) {
    const box = renderer.domElement.getBoundingClientRect();
    const at = new THREE.Vector2(((event.clientX - box.left) / box.width) * 2 - 1, 1 - ((event.clientY - box.top) / box.height) * 2);
    const ray = new THREE.Raycaster();
    ray.setFromCamera(at, camera);
    const hit = ray.ray.intersectSphere(new THREE.Sphere(new THREE.Vector3(), 1), new THREE.Vector3());
    return hit && [Math.atan2(-hit.z, hit.x) / degree, Math.asin(hit.y) / degree];
  }

  function readout(event) {
    const at = under(event);
    TERRAFORM.readout(...(at || [NaN, NaN]));
  }

  listen((keys, by) => {
    if (!renderer) return;
    if (keys.has("a")) showPicture();
    if (by !== "globe" && (keys.has("lon") || keys.has("lat"))) Object.assign(eye, { lon: state.lon, lat: Math.min(Math.max(state.lat, -89), 89) });
    ask();
  });

  TERRAFORM.globe = {
    show(visible) {
      if (!visible) return;
      if (!renderer) start();
      lastTime = performance.now();
      ask();
    },
    fly(lon, lat, size_km) {
      if (!renderer) return;
      set({ turn: false }, "globe");
      target = { lon, lat: Math.min(Math.max(lat, -89), 89), away: Math.min(Math.max(1 + ((size_km * 1000) / radius) * 1.6, 1.35), 3.25) };
      ask();
    },
    /** For measurements: draw one frame now. */
    draw,
    isReady: () => Boolean(renderer && surface.visible && raised),
    eye,
  };
})();
