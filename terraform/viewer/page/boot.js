// The page's one global. Data come as scripts that call `receive`: a page from disk may load scripts, not files.
"use strict";

const TERRAFORM = {
  data: {},
  waiting: {},

  receive(key, value) {
    this.data[key] = value;
    (this.waiting[key] || []).forEach((resolve) => resolve(value));
    delete this.waiting[key];
  },

  /** Load data/<key>.js once; a promise of its value. */
  load(key) {
    if (key in this.data) return Promise.resolve(this.data[key]);
    return new Promise((resolve, reject) => {
      const first = !(key in this.waiting);
      (this.waiting[key] = this.waiting[key] || []).push(resolve);
      if (!first) return;
      const script = document.createElement("script");
      script.src = `data/${key}.js`;
      script.onerror = () => reject(new Error(`data/${key}.js is missing: make the viewer again`));
      document.head.append(script);
    });
  },
};
