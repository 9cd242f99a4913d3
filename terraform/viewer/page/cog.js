// Mosaics that are read straight from their files: a worker is asked for blocks.
"use strict";

(function () {
  const notice = document.querySelector("#map .notice");
  const waiting = new Map();
  let worker = null, asked = 0;

  function complain(text) {
    notice.textContent = text;
    notice.hidden = false;
  }

  function start() {
    worker = new Worker("cog-worker.js");
    worker.addEventListener("message", ({ data: { id, picture, error } }) => {
      const { resolve, reject } = waiting.get(id);
      waiting.delete(id);
      if (picture) return resolve(picture);
      complain(`A mosaic cannot be read (${error}). The server has to answer byte ranges: python -m terraform view does.`);
      return reject(new Error(error));
    });
  }

  /** Loads the tiles of a pyramid that is a file. */
  function loader({ cog }) {
    const url = new URL(cog, document.baseURI).href;
    return (level, column, row) => new Promise((resolve, reject) => {
      if (location.protocol === "file:") {
        // A page from disk may read no files.
        complain("The mosaics are read by byte ranges, which needs a server: python -m terraform view.");
        reject(new Error("no server"));
        return;
      }
      if (!worker) start();
      asked += 1;
      waiting.set(asked, { resolve, reject });
      worker.postMessage({ id: asked, url, level, column, row });
    });
  }

  TERRAFORM.cog = { loader };
})();
