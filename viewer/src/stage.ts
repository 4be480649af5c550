// Where the picture stands in its frame: fit, zoom, pan; and what a point on the screen means.

import { clamp } from "./dom.js";

export class Stage {
  zoom = 1;
  private panX = 0;
  private panY = 0;
  private readonly moved = new Set<HTMLElement>();
  private width = 1;
  private height = 1;

  constructor(
    private readonly box: HTMLElement,
    private columns: number,
    private rows: number,
    private readonly changed: () => void,
  ) {
    new ResizeObserver(() => this.measure()).observe(box);
    this.measure();
  }

  /** Keep a layer in step with the picture; it is laid out in picture pixels. */
  carry(layer: HTMLElement): void {
    layer.style.transformOrigin = "0 0";
    layer.style.width = `${this.columns}px`;
    layer.style.height = `${this.rows}px`;
    this.moved.add(layer);
    this.place();
  }

  resize(columns: number, rows: number): void {
    if (columns === this.columns && rows === this.rows) return;
    this.columns = columns;
    this.rows = rows;
    for (const layer of this.moved) {
      layer.style.width = `${columns}px`;
      layer.style.height = `${rows}px`;
    }
    this.place();
  }

  /** Screen pixels for one picture pixel. */
  get scale(): number {
    return Math.min(this.width / this.columns, this.height / this.rows) * this.zoom;
  }

  get left(): number {
    return (this.width - this.columns * this.scale) / 2 + this.panX;
  }

  get top(): number {
    return (this.height - this.rows * this.scale) / 2 + this.panY;
  }

  /** Picture coordinates of a point in the window. */
  point(clientX: number, clientY: number): { x: number; y: number } {
    const bounds = this.box.getBoundingClientRect();
    return {
      x: clamp((clientX - bounds.left - this.left) / this.scale, 0, this.columns),
      y: clamp((clientY - bounds.top - this.top) / this.scale, 0, this.rows),
    };
  }

  /** Zoom about a point of the window; about the middle when none is named. */
  zoomBy(factor: number, clientX?: number, clientY?: number): void {
    const bounds = this.box.getBoundingClientRect();
    const x = (clientX ?? bounds.left + this.width / 2) - bounds.left;
    const y = (clientY ?? bounds.top + this.height / 2) - bounds.top;
    const [u, v, before] = [(x - this.left) / this.scale, (y - this.top) / this.scale, this.zoom];
    this.zoom = clamp(this.zoom * factor, 0.5, 40);
    if (this.zoom === before) return;
    this.panX += x - u * this.scale - this.left;
    this.panY += y - v * this.scale - this.top;
    this.place();
  }

  pan(dx: number, dy: number): void {
    this.panX += dx;
    this.panY += dy;
    this.place();
  }

  fit(): void {
    this.zoom = 1;
    this.panX = 0;
    this.panY = 0;
    this.place();
  }

  private measure(): void {
    this.width = Math.max(this.box.clientWidth, 1);
    this.height = Math.max(this.box.clientHeight, 1);
    this.place();
  }

  private place(): void {
    const most = { x: this.columns * this.scale, y: this.rows * this.scale };
    this.panX = clamp(this.panX, -most.x / 2, most.x / 2);
    this.panY = clamp(this.panY, -most.y / 2, most.y / 2);
    const transform = `translate(${this.left}px, ${this.top}px) scale(${this.scale})`;
    for (const layer of this.moved) layer.style.transform = transform;
    this.box.classList.toggle("pixels", this.scale >= 3);
    this.changed();
  }
}
