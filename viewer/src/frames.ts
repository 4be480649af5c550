// Frames on their way: a few at a time, the nearest first, within a budget of memory.

import { range, spread, type Frame } from "./lut.js";

export type Shown = Frame | ImageBitmap;

export interface Place {
  item: number;
  frame: number;
}

const AT_ONCE = 6;
const BUDGET = 400 * 1024 * 1024;

/** Tell a frame of stored values from a picture in colour. */
export function isGrey(shown: Shown): shown is Frame {
  return "values" in shown;
}

function bytes(shown: Shown): number {
  return isGrey(shown) ? shown.values.byteLength : shown.width * shown.height * 4;
}

function header(response: Response, name: string): number {
  const text = response.headers.get(name);
  return text === null || text === "" ? Number.NaN : Number(text);
}

function little(buffer: ArrayBuffer, size: number): Uint16Array {
  const values = new Uint16Array(buffer, 0, size >> 1);
  if (new Uint8Array(new Uint16Array([1]).buffer)[0] === 1) return values;
  return values.map((value) => ((value & 0xff) << 8) | (value >> 8));
}

/** What is taken where the answer does not say it. */
export interface Usual {
  rows: number;
  columns: number;
  signed: boolean;
  invert: boolean;
  center: number;
  width: number;
}

async function grey(response: Response, usual: Usual): Promise<Frame> {
  const buffer = await response.arrayBuffer();
  const said = (name: string, otherwise: number): number => {
    const value = header(response, name);
    return Number.isFinite(value) ? value : otherwise;
  };
  const eight = header(response, "X-Frame-Bits") === 8;
  const rows = said("X-Frame-Rows", usual.rows);
  const columns = said("X-Frame-Columns", usual.columns);
  const size = rows * columns * (eight ? 1 : 2);
  const levels = new Uint8Array(buffer, Math.min(size, buffer.byteLength));
  if (size + said("X-Frame-Levels", 0) !== buffer.byteLength) throw new Error("size");
  const values = eight ? Uint16Array.from(new Uint8Array(buffer, 0, size)) : little(buffer, size);
  const signed = said("X-Frame-Signed", Number(usual.signed)) === 1;
  const given = { center: said("X-Frame-Centre", usual.center), width: said("X-Frame-Width", usual.width) };
  const usable = Number.isFinite(given.center) && given.width >= 1;
  const [low, high] = range(values, signed);
  return {
    rows,
    columns,
    signed,
    invert: said("X-Frame-Inverted", Number(usual.invert)) === 1,
    preset: usable ? given : spread(values, signed),
    low,
    high,
    values,
    levels,
    base: said("X-Frame-Base", 0),
  };
}

async function colour(response: Response, usual: Usual): Promise<ImageBitmap> {
  const from = new Uint8Array(await response.arrayBuffer());
  const rows = header(response, "X-Frame-Rows") || usual.rows;
  const columns = header(response, "X-Frame-Columns") || usual.columns;
  const picture = new ImageData(columns, rows);
  if (from.length !== rows * columns * 3) throw new Error("size");
  for (let at = 0, to = 0; at < from.length; at += 3, to += 4) {
    picture.data[to] = from[at]!;
    picture.data[to + 1] = from[at + 1]!;
    picture.data[to + 2] = from[at + 2]!;
    picture.data[to + 3] = 255;
  }
  return createImageBitmap(picture);
}

/** All frames of a stack, in order. Loading starts when someone works with the picture. */
export class Frames {
  private readonly held = new Map<number, Shown>();
  private readonly coming = new Map<number, Promise<Shown>>();
  private readonly failed = new Set<number>();
  private used = 0;
  private ahead = false;
  private at = 0;

  constructor(
    readonly places: readonly Place[],
    private readonly raw: string,
    private readonly png: string,
    private readonly usual: Usual,
    private readonly told: (loaded: number) => void,
  ) {}

  get loaded(): number {
    return this.held.size;
  }

  /** A frame that is here already. */
  peek(index: number): Shown | undefined {
    return this.held.get(index);
  }

  /** Load one frame, unless it is here. */
  get(index: number): Promise<Shown> {
    const here = this.held.get(index);
    if (here) return Promise.resolve(here);
    const already = this.coming.get(index);
    if (already) return already;
    const promise = this.load(index).then(
      (shown) => {
        this.coming.delete(index);
        this.keep(index, shown);
        this.next();
        return shown;
      },
      (error: unknown) => {
        this.coming.delete(index);
        this.failed.add(index);
        this.next();
        throw error;
      },
    );
    this.coming.set(index, promise);
    return promise;
  }

  /** Load the others too, from this one outwards. */
  prefetch(index: number): void {
    this.at = index;
    this.ahead = true;
    this.next();
  }

  private next(): void {
    if (!this.ahead || this.used > BUDGET) return;
    const count = this.places.length;
    for (let away = 1; away < count && this.coming.size < AT_ONCE; away += 1) {
      for (const index of [this.at + away, this.at - away]) {
        const known = this.held.has(index) || this.coming.has(index) || this.failed.has(index);
        if (index < 0 || index >= count || known || this.coming.size >= AT_ONCE) continue;
        this.get(index).catch(() => undefined);
      }
    }
  }

  private keep(index: number, shown: Shown): void {
    this.held.set(index, shown);
    this.used += bytes(shown);
    if (this.used > BUDGET) this.drop();
    this.told(this.held.size);
  }

  private drop(): void {
    const far = [...this.held.keys()].sort((a, b) => Math.abs(b - this.at) - Math.abs(a - this.at));
    for (const index of far) {
      if (this.used <= BUDGET * 0.9) return;
      const gone = this.held.get(index);
      if (!gone || index === this.at) continue;
      this.used -= bytes(gone);
      this.held.delete(index);
    }
  }

  private address(pattern: string, index: number): string {
    const place = this.places[index];
    if (!place) throw new Error("no such frame");
    return pattern.replace("{n}", String(place.item)).replace("{f}", String(place.frame));
  }

  private async load(index: number): Promise<Shown> {
    if (this.raw) {
      const response = await fetch(`${this.address(this.raw, index)}?levels=1`, { credentials: "same-origin" });
      if (response.ok && header(response, "X-Frame-Samples") !== 3) return grey(response, this.usual);
      if (response.ok) return colour(response, this.usual);
      if (response.status !== 415) throw new Error(String(response.status));
    }
    const response = await fetch(this.address(this.png, index), { credentials: "same-origin" });
    if (!response.ok) throw new Error(String(response.status));
    return createImageBitmap(await response.blob());
  }
}
