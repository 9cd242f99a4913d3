// What the page's scripts stand on, for the type check: libraries without types of their own, and that every element is HTML.
declare const ol: any;
declare const THREE: any;
declare const GeoTIFF: any;
declare function importScripts(...addresses: string[]): void;

interface EventTarget { value: any; checked: any; }
interface Element { hidden: any; readonly dataset: DOMStringMap; }
interface HTMLElement { value: any; checked: any; showModal(): void; }
