// <safelight-head>: a head before and after, turned together by pointer, touch, keys, slider or buttons.
// Without this script the page shows both from some sides.

import { button, clamp, fill, make } from "./dom.js";

const FULL = 360;
const PER_VIEW = 12; // pixels that a finger moves from one view to the next
const PER_SECOND = 9; // views, when it turns by itself

interface Face {
  canvas: HTMLCanvasElement;
  address: string;
  sheet: ImageBitmap | null;
}

class SafelightHead extends HTMLElement {
  private readonly faces: Face[] = [];
  private readonly slider = make("input", { type: "range", min: 0, step: 1, value: 0 });
  private readonly note = make("p", { class: "viewer-note soft", role: "status" });
  private words: Record<string, string> = {};
  private views = 1;
  private across = 1;
  private at = 0;
  private asked: Promise<void> | null = null;
  private turning = 0;
  private play: HTMLButtonElement | null = null;

  connectedCallback(): void {
    if (this.classList.contains("ready")) return;
    this.classList.add("ready");
    this.words = JSON.parse(this.dataset["words"] ?? "{}") as Record<string, string>;
    this.views = Number(this.dataset["views"]);
    this.across = Number(this.dataset["across"]);
    const pair = this.querySelector<HTMLElement>(".heads");
    if (!pair) return;
    this.replace(pair);
    this.drags(pair);
    this.keyed(pair);
    this.append(this.controls(), this.note);
  }

  disconnectedCallback(): void {
    this.stop();
  }

  /** The view that is shown: for tests. */
  get view(): number {
    return this.at;
  }

  private word(name: string): string {
    return this.words[name] ?? name;
  }

  /** Put a canvas over each first view, which stays until its sheet is here. */
  private replace(pair: HTMLElement): void {
    const pictures = [...pair.querySelectorAll("img")];
    const sides = pictures.length > 1 ? ["before", "after"] : ["after"];
    for (const [number, picture] of pictures.entries()) {
      const canvas = make("canvas", { class: "plain-picture", role: "img", "aria-label": picture.alt, hidden: true });
      picture.draggable = false;
      picture.before(canvas);
      this.faces.push({ canvas, address: this.dataset[sides[number] ?? "after"] ?? "", sheet: null });
    }
  }

  private keyed(pair: HTMLElement): void {
    pair.tabIndex = 0;
    pair.setAttribute("role", "group");
    pair.setAttribute("aria-label", this.word("heads"));
    pair.addEventListener("keydown", (event) => {
      const go: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, PageUp: -9, PageDown: 9 };
      const by = go[event.key] ?? (event.key === "Home" ? -this.at : undefined);
      if (by === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      this.turn(by);
    });
  }

  private drags(pair: HTMLElement): void {
    let from = Number.NaN;
    pair.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "mouse" && event.button !== 0) return;
      from = event.clientX;
      pair.setPointerCapture(event.pointerId);
      void this.wake();
    });
    pair.addEventListener("pointermove", (event) => {
      const steps = Math.trunc((event.clientX - from) / PER_VIEW);
      if (!steps) return; // nor where nobody holds it
      from += steps * PER_VIEW;
      this.turn(-steps); // the head goes with the hand
    });
    for (const name of ["pointerup", "pointercancel"] as const) {
      pair.addEventListener(name, () => (from = Number.NaN));
    }
  }

  private controls(): HTMLElement {
    this.slider.max = String(this.views - 1);
    this.slider.addEventListener("input", () => this.turn(Number(this.slider.value) - this.at));
    this.tell();
    const line = make("label", { class: "line" }, make("span", {}, this.word("angle")), this.slider);
    const row = make("div", { class: "tools" });
    row.append(
      button("←", () => this.turn(-1), { "aria-label": this.word("left"), title: this.word("left") }),
      button("→", () => this.turn(1), { "aria-label": this.word("right"), title: this.word("right") }),
    );
    if (!matchMedia("(prefers-reduced-motion: reduce)").matches) {
      this.play = button(this.word("play"), () => (this.turning ? this.stop() : void this.start()));
      row.append(this.play);
    }
    const keys = make("p", { class: "soft small keys" }, this.word("keys"));
    return make("div", { class: "head-controls" }, line, row, keys);
  }

  private turn(by: number, byItself = false): void {
    if (!byItself) this.stop();
    this.at = (((this.at + by) % this.views) + this.views) % this.views;
    this.tell();
    this.paint();
    void this.wake();
  }

  private tell(): void {
    this.slider.value = String(this.at);
    const degrees = Math.round((this.at * FULL) / this.views);
    this.slider.setAttribute("aria-valuetext", fill(this.word("degrees"), { n: degrees }));
  }

  private async start(): Promise<void> {
    await this.wake();
    if (this.turning || !this.faces.some((one) => one.sheet)) return;
    if (this.play) this.play.textContent = this.word("stop");
    let last = performance.now();
    const step = (now: number): void => {
      const views = Math.trunc(((now - last) / 1000) * PER_SECOND);
      if (views > 0) {
        last = now;
        this.turn(views, true);
      }
      this.turning = requestAnimationFrame(step);
    };
    this.turning = requestAnimationFrame(step);
  }

  private stop(): void {
    if (!this.turning) return;
    cancelAnimationFrame(this.turning);
    this.turning = 0;
    if (this.play) this.play.textContent = this.word("play");
  }

  /** Fetch the sheets once somebody turns a head; the first views are there already. */
  private wake(): Promise<void> {
    this.asked ??= this.load();
    return this.asked;
  }

  private async load(): Promise<void> {
    this.note.textContent = this.word("loading");
    try {
      await Promise.all(this.faces.map((one) => this.fetch(one)));
      this.note.textContent = "";
    } catch {
      this.note.textContent = this.word("failed");
      this.asked = null;
    }
    this.paint();
  }

  private async fetch(face: Face): Promise<void> {
    const response = await fetch(face.address, { credentials: "same-origin" });
    if (!response.ok) throw new Error(String(response.status));
    face.sheet = await createImageBitmap(await response.blob());
    const rows = Math.ceil(this.views / this.across);
    face.canvas.width = Math.floor(face.sheet.width / this.across);
    face.canvas.height = Math.floor(face.sheet.height / rows);
  }

  private paint(): void {
    for (const { canvas, sheet } of this.faces) {
      const context = canvas.getContext("2d");
      if (!context || !sheet) continue;
      const { width, height } = canvas;
      const at = clamp(this.at, 0, this.views - 1);
      const [x, y] = [(at % this.across) * width, Math.floor(at / this.across) * height];
      context.drawImage(sheet, x, y, width, height, 0, 0, width, height);
      canvas.hidden = false;
      const still = canvas.nextElementSibling;
      if (still instanceof HTMLImageElement) still.hidden = true;
    }
  }
}

customElements.define("safelight-head", SafelightHead);
