// Stored values to what a screen shows: one table of 65536 entries, one pass over the frame.

export interface Window {
  center: number;
  width: number;
}

/** A frame as the server sends it: 16 bits a value, little-endian. */
export interface Frame {
  rows: number;
  columns: number;
  signed: boolean;
  invert: boolean;
  preset: Window;
  low: number;
  high: number;
  values: Uint16Array;
  /** What the server shows for each stored value from `base` on: used until someone sets a window. */
  levels: Uint8Array;
  base: number;
}

/** Fill a table from stored bits to opaque grey (PS3.3 C.11.2.1.2.1, linear). */
export function fillTable(table: Uint32Array, window: Window, signed: boolean, invert: boolean): void {
  const width = Math.max(window.width, 1);
  const bottom = window.center - 0.5 - (width - 1) / 2;
  const scale = 255 / Math.max(width - 1, 1e-6);
  const first = signed ? -32768 : 0;
  for (let at = 0; at < 65536; at += 1) {
    const value = first + at;
    let grey = Math.round((value - bottom) * scale);
    grey = grey < 0 ? 0 : grey > 255 ? 255 : grey;
    if (invert) grey = 255 - grey;
    table[value & 0xffff] = 0xff000000 | (grey << 16) | (grey << 8) | grey;
  }
}

/** Fill a table from the levels that came with a frame; values that are not in it stay as they are. */
export function fillLevels(table: Uint32Array, levels: Uint8Array, base: number, turned: boolean): void {
  for (let at = 0; at < levels.length; at += 1) {
    const grey = turned ? 255 - levels[at]! : levels[at]!;
    table[(base + at) & 0xffff] = 0xff000000 | (grey << 16) | (grey << 8) | grey;
  }
}

/** Look every value up; `out` has one 32-bit pixel for each value. */
export function paint(values: Uint16Array, table: Uint32Array, out: Uint32Array): void {
  const count = Math.min(values.length, out.length);
  for (let at = 0; at < count; at += 1) out[at] = table[values[at]!]!;
}

/** The window from the 0.5th to the 99.8th percentile of a sample: where no one named one. */
export function spread(values: Uint16Array, signed: boolean): Window {
  const step = Math.max(1, Math.floor(values.length / 20000));
  const sample: number[] = [];
  for (let at = 0; at < values.length; at += step) {
    const value = values[at]!;
    sample.push(signed && value > 32767 ? value - 65536 : value);
  }
  sample.sort((a, b) => a - b);
  if (sample.length === 0) return { center: 0, width: 1 };
  const low = sample[Math.floor(sample.length * 0.005)]!;
  const high = sample[Math.min(sample.length - 1, Math.floor(sample.length * 0.998))]!;
  return { center: (low + high + 1) / 2, width: Math.max(high - low + 1, 1) };
}

/** The least and the greatest value, as sliders need them. */
export function range(values: Uint16Array, signed: boolean): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const bits of values) {
    const value = signed && bits > 32767 ? bits - 65536 : bits;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : [0, 1];
}
