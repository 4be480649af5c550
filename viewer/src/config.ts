// What a page tells its viewer, in one attribute.

import type { MaskWords } from "./masks.js";

/** A mask as the server tells of it (MaskView). */
export interface Told {
  id: string;
  x: number;
  y: number;
  w: number;
  h: number;
  frames: number[];
  verdict: string;
  why: string;
  spare: boolean;
}

export interface Words extends MaskWords {
  picture: string;
  keys: string;
  tools: string;
  look: string;
  scroll: string;
  window: string;
  pan: string;
  draw: string;
  zoomIn: string;
  zoomOut: string;
  fit: string;
  invert: string;
  reset: string;
  before: string;
  after: string;
  both: string;
  slider: string;
  frame: string;
  frameOf: string;
  loaded: string;
  center: string;
  width: string;
  contrast: string;
  values: string;
  save: string;
  saving: string;
  saved: string;
  unsaved: string;
  scopeLabel: string;
  scopeFrame: string;
  scopeItem: string;
  scopeSeries: string;
  add: string;
  failed: string;
  error: string;
  gone: string;
}

export interface Config {
  /** Addresses with {n} for the item and {f} for the frame. */
  raw: string;
  png: string;
  preview: string;
  before: string;
  masks: string;
  regions: string;
  /** Items in order, each with its number of frames. */
  stack: [number, number][];
  start: number;
  /** Of this item alone. */
  frames: number;
  columns: number;
  rows: number;
  signed: boolean;
  invert: boolean;
  center: number | null;
  width: number | null;
  known: Told[];
  scopes: boolean;
  words: Words;
}

/** Read what the page says; a missing word shows its own name. */
export function config(element: HTMLElement): Config {
  const given = JSON.parse(element.dataset["config"] ?? "{}") as Partial<Config>;
  const told = JSON.parse(element.dataset["words"] ?? "{}") as Record<string, string>;
  const known = JSON.parse(element.dataset["regions"] ?? "[]") as Told[];
  const words = new Proxy(told, {
    get: (target, name) => target[String(name)] ?? String(name),
  });
  return {
    raw: "",
    png: "",
    preview: "",
    before: "",
    masks: "",
    regions: "",
    stack: [[0, 1]],
    start: 0,
    frames: 1,
    columns: 512,
    rows: 512,
    signed: false,
    invert: false,
    center: null,
    width: null,
    scopes: false,
    ...given,
    known,
    words: words as unknown as Words,
  };
}
