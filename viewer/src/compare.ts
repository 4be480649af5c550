// Before and after in one frame: a slider, and three buttons that do the same (WCAG 2.5.7).

import type { Words } from "./config.js";
import { button, make } from "./dom.js";
import type { Stage } from "./stage.js";

const SIDES: readonly [key: "before" | "both" | "after", share: number][] = [
  ["before", 100],
  ["both", 50],
  ["after", 0],
];

export class Compare {
  readonly controls: HTMLElement;
  private readonly picture: HTMLImageElement;
  private readonly clip = make("div", { class: "before-clip" });
  private readonly slider: HTMLInputElement;
  private readonly buttons = new Map<number, HTMLButtonElement>();
  private share = 0;

  constructor(
    private readonly box: HTMLElement,
    stage: Stage,
    words: Words,
    private readonly address: () => string,
  ) {
    this.picture = make("img", { class: "layer", alt: "", draggable: "false" });
    this.picture.addEventListener("error", () => this.controls.classList.add("gone"));
    this.clip.append(this.picture);
    // Below the masks, above the picture after cleaning.
    this.box.insertBefore(this.clip, this.box.querySelector(".masks"));
    stage.carry(this.picture);
    this.slider = make("input", { type: "range", min: 0, max: 100, step: 1, value: 0, class: "compare", "aria-label": words.slider });
    this.slider.addEventListener("input", () => this.set(100 - Number(this.slider.value)));
    const group = make("div", { class: "segmented", role: "group", "aria-label": words.picture });
    for (const [key, share] of SIDES) {
      const one = button(words[key], () => this.set(share), { "aria-pressed": "false" });
      this.buttons.set(share, one);
      group.append(one);
    }
    const gone = make("p", { class: "soft small when-gone" }, words.gone);
    this.controls = make(
      "div",
      { class: "compare-controls" },
      group,
      make("div", { class: "line" }, this.slider),
      gone,
    );
    this.set(0);
  }

  /** How much of the width shows the picture before, in percent. */
  set(share: number): void {
    this.share = share;
    this.slider.value = String(100 - share);
    this.clip.style.clipPath = `inset(0 ${100 - share}% 0 0)`;
    this.clip.hidden = share === 0;
    this.box.style.setProperty("--split", `${share}%`);
    this.box.classList.toggle("half", share > 0 && share < 100);
    for (const [at, one] of this.buttons) one.setAttribute("aria-pressed", String(at === share));
    if (share > 0) this.move();
  }

  toggle(): void {
    this.set(this.share > 0 ? 0 : 100);
  }

  /** The stack has moved on: show its picture. */
  move(): void {
    if (this.share === 0) return;
    const wanted = this.address();
    if (!this.picture.src.endsWith(wanted)) this.picture.src = wanted;
  }
}
