// Masks over a picture: each one a button that can be moved, made larger or smaller, and taken away.

import { button, clamp, fill, make } from "./dom.js";
import type { Stage } from "./stage.js";

export interface Region {
  id: string;
  x: number;
  y: number;
  w: number;
  h: number;
  kept: boolean;
  why: string;
  fixed: boolean;
}

export interface MaskWords {
  mask: string;
  kept: string;
  new: string;
  help: string;
  remove: string;
}

const LEAST = 4;

/** The masks of one frame. Coordinates are picture pixels. */
export class Masks {
  regions: Region[] = [];
  private chosen = "";
  private made = 0;
  private readonly shown = new Map<string, HTMLElement>();

  constructor(
    private readonly layer: HTMLElement,
    private readonly stage: Stage,
    private readonly words: MaskWords,
    private readonly editable: boolean,
    private readonly size: () => [number, number],
    private readonly changed: () => void,
  ) {}

  set(regions: Region[]): void {
    this.regions = regions;
    this.chosen = "";
    this.draw();
  }

  /** Add a mask and move the focus to it. */
  add(x: number, y: number, w: number, h: number): Region {
    const [columns, rows] = this.size();
    this.made += 1;
    const region = {
      id: `new-${this.made}`,
      x: Math.round(clamp(x, 0, columns - LEAST)),
      y: Math.round(clamp(y, 0, rows - LEAST)),
      w: Math.round(clamp(w, LEAST, columns)),
      h: Math.round(clamp(h, LEAST, rows)),
      kept: false,
      why: this.words.new,
      fixed: false,
    };
    this.bound(region);
    this.regions = [...this.regions, region];
    this.draw();
    this.focus(region.id);
    this.changed();
    return region;
  }

  focus(id: string): void {
    this.shown.get(id)?.focus({ preventScroll: true });
  }

  remove(id: string): void {
    const at = this.regions.findIndex((region) => region.id === id);
    const region = this.regions[at];
    if (!region || region.fixed) return;
    this.regions = this.regions.filter((one) => one.id !== id);
    this.draw();
    const next = this.regions[Math.min(at, this.regions.length - 1)];
    if (next) this.focus(next.id);
    this.changed();
  }

  /** Put every mask where the picture is now. */
  place(): void {
    for (const region of this.regions) {
      const element = this.shown.get(region.id);
      if (element) this.put(element, region);
    }
  }

  draw(): void {
    const focused = [...this.shown].find(([, element]) => element === document.activeElement)?.[0];
    this.shown.clear();
    this.layer.replaceChildren(
      ...this.regions.map((region, at) => {
        const element = this.element(region, at);
        this.shown.set(region.id, element);
        return element;
      }),
    );
    this.place();
    if (focused) this.focus(focused);
  }

  private element(region: Region, at: number): HTMLElement {
    const name = fill(region.kept ? this.words.kept : this.words.mask, { n: at + 1, why: region.why });
    const element = button("", () => this.choose(region.id), {
      class: `mask${region.kept ? " kept" : ""}${region.fixed ? " fixed" : ""}`,
      "aria-label": this.editable && !region.fixed ? `${name}. ${this.words.help}` : name,
      title: name,
      "data-region": region.id,
    });
    element.append(make("span", { class: "edge", "aria-hidden": "true" }));
    element.append(make("span", { class: "number", "aria-hidden": "true" }, String(at + 1)));
    if (this.editable && !region.fixed) {
      element.append(make("span", { class: "corner", "aria-hidden": "true" }));
      element.addEventListener("keydown", (event) => this.key(event, region));
      element.addEventListener("pointerdown", (event) => this.drag(event, region, element));
    }
    return element;
  }

  private choose(id: string): void {
    this.chosen = id;
    for (const [key, element] of this.shown) element.classList.toggle("chosen", key === this.chosen);
  }

  private put(element: HTMLElement, region: Region): void {
    const { left, top, scale } = this.stage;
    // Never smaller than a target may be (WCAG 2.5.8); the edge inside shows the true size.
    const [w, h] = [Math.max(region.w * scale, 24), Math.max(region.h * scale, 24)];
    element.style.left = `${left + region.x * scale - (w - region.w * scale) / 2}px`;
    element.style.top = `${top + region.y * scale - (h - region.h * scale) / 2}px`;
    element.style.width = `${w}px`;
    element.style.height = `${h}px`;
    const edge = element.firstElementChild as HTMLElement;
    edge.style.width = `${region.w * scale}px`;
    edge.style.height = `${region.h * scale}px`;
  }

  private bound(region: Region): void {
    const [columns, rows] = this.size();
    region.w = clamp(region.w, LEAST, columns);
    region.h = clamp(region.h, LEAST, rows);
    region.x = clamp(region.x, 0, columns - region.w);
    region.y = clamp(region.y, 0, rows - region.h);
  }

  private key(event: KeyboardEvent, region: Region): void {
    if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      event.stopPropagation();
      this.remove(region.id);
      return;
    }
    const steps: Record<string, [number, number]> = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, -1],
      ArrowDown: [0, 1],
    };
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const length = event.altKey ? 1 : Math.max(1, Math.round(8 / this.stage.scale));
    if (event.shiftKey) {
      region.w += step[0] * length;
      region.h += step[1] * length;
    } else {
      region.x += step[0] * length;
      region.y += step[1] * length;
    }
    this.bound(region);
    this.place();
    this.changed();
  }

  private drag(event: PointerEvent, region: Region, element: HTMLElement): void {
    if (event.button !== 0) return;
    event.preventDefault();
    event.stopPropagation();
    element.focus({ preventScroll: true });
    this.choose(region.id);
    const start = { ...region, at: this.stage.point(event.clientX, event.clientY) };
    const corner = (event.target as HTMLElement).classList.contains("corner");
    let moved = false;
    const move = (next: PointerEvent): void => {
      const at = this.stage.point(next.clientX, next.clientY);
      const [dx, dy] = [Math.round(at.x - start.at.x), Math.round(at.y - start.at.y)];
      moved ||= dx !== 0 || dy !== 0;
      if (corner) Object.assign(region, { w: start.w + dx, h: start.h + dy });
      else Object.assign(region, { x: start.x + dx, y: start.y + dy });
      this.bound(region);
      this.place();
    };
    const end = (): void => {
      element.removeEventListener("pointermove", move);
      element.removeEventListener("pointerup", end);
      element.removeEventListener("pointercancel", end);
      if (moved) this.changed();
    };
    element.setPointerCapture(event.pointerId);
    element.addEventListener("pointermove", move);
    element.addEventListener("pointerup", end);
    element.addEventListener("pointercancel", end);
  }
}
