// The masks that a person has drawn, moved or taken away, until they are saved.

import type { Config } from "./config.js";
import { button, make } from "./dom.js";
import type { Place } from "./frames.js";
import type { Masks, Region } from "./masks.js";

export class Saving {
  readonly controls: HTMLElement;
  private readonly save: HTMLButtonElement;
  private readonly state = make("span", { class: "soft", role: "status" });
  private readonly scope = make("select", { id: "mask-scope" });
  private before: Region[] = [];

  constructor(
    private readonly settings: Config,
    private readonly masks: Masks,
    private readonly place: () => Place,
  ) {
    const { words } = settings;
    const scopes: [string, string][] = [["item", words.scopeItem]];
    if (settings.frames > 1) scopes.unshift(["frame", words.scopeFrame]);
    if (settings.scopes) scopes.push(["series", words.scopeSeries]);
    for (const [value, label] of scopes) this.scope.append(make("option", { value }, label));
    this.scope.value = "item";
    this.save = button(words.save, () => void this.send(), { class: "primary", disabled: true });
    const label = make("label", { class: "line" }, make("span", {}, words.scopeLabel), this.scope);
    const add = button(words.add, () => this.add(), { "data-key": "m" });
    this.controls = make("div", { class: "saving" }, add, label, this.save, this.state);
    addEventListener("beforeunload", (event) => {
      if (!this.save.disabled) event.preventDefault();
    });
  }

  get pending(): boolean {
    return !this.save.disabled;
  }

  /** Put a mask into the middle; the arrow keys do the rest. */
  add(): void {
    const { columns, rows } = this.settings;
    const side = Math.max(8, Math.round(Math.min(columns, rows) / 6));
    this.masks.add((columns - side * 2) / 2, (rows - side) / 2, side * 2, side);
  }

  /** What is shown now is what the server has. */
  clean(): void {
    this.before = this.masks.regions.map((one) => ({ ...one }));
    this.save.disabled = true;
    this.state.textContent = "";
  }

  dirty(): void {
    this.save.disabled = false;
    this.state.textContent = this.settings.words.unsaved;
  }

  /** A mask that was moved is a new one, and the old one goes. */
  private changes(frame: number): { add: object[]; remove: string[]; scope: string } {
    const old = new Map(this.before.map((one) => [one.id, one]));
    const same = (a: Region, b: Region): boolean => a.x === b.x && a.y === b.y && a.w === b.w && a.h === b.h;
    const stays = new Set<string>();
    for (const one of this.masks.regions) {
      const known = old.get(one.id);
      if (known && same(known, one)) stays.add(one.id);
    }
    const { value } = this.scope;
    const frames = value === "frame" && this.settings.frames > 1 ? [frame] : [];
    const add = this.masks.regions
      .filter((one) => !stays.has(one.id))
      .map(({ x, y, w, h }) => ({ x, y, w, h, frames }));
    const remove = [...old.keys()].filter((id) => !stays.has(id));
    return { add, remove, scope: value === "series" ? "series" : "item" };
  }

  private async send(): Promise<void> {
    const { words } = this.settings;
    const { item, frame } = this.place();
    this.save.disabled = true;
    this.state.textContent = words.saving;
    try {
      const response = await fetch(this.settings.masks.replace("{n}", String(item)), {
        method: "POST",
        credentials: "same-origin",
        headers: { "Content-Type": "application/json", Accept: "application/json" },
        body: JSON.stringify(this.changes(frame)),
      });
      if (!response.ok) throw new Error(String(response.status));
      this.before = this.masks.regions.map((one) => ({ ...one }));
      this.state.textContent = words.saved;
      this.controls.dispatchEvent(new CustomEvent("safelight:saved", { bubbles: true }));
    } catch {
      this.save.disabled = false;
      this.state.textContent = words.error;
    }
  }
}
