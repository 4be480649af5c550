// Giving files: choose or drop, see each one arrive, go on after a cut, never send a byte twice.

import { fill, make, pause } from "./dom.js";

interface Chosen {
  file: File;
  label: string;
  row: HTMLElement;
  state: HTMLElement;
  bar: HTMLProgressElement;
  upload: string;
  whole: boolean;
}

interface Told {
  id: string;
  offset: number;
  whole: boolean;
  known: boolean;
}

class Refused extends Error {}

const AT_ONCE = 3;
const TRIES = 6;
const SHOWN = 500;

async function answer(response: Response): Promise<Record<string, unknown>> {
  const body = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  if (response.ok) return body;
  const problem = body["problem"] as { what?: string } | undefined;
  // A fault of the line or of the server may pass; what was said no to will not.
  if (response.status >= 500 || response.status === 429) throw new Error(String(response.status));
  throw new Refused(problem?.what ?? String(response.status));
}

/** All files below a folder that was dropped. */
async function below(entry: FileSystemEntry, path: string): Promise<[File, string][]> {
  if (entry.isFile) {
    const file = await new Promise<File>((good, bad) => (entry as FileSystemFileEntry).file(good, bad));
    return [[file, path + entry.name]];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: [File, string][] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((good, bad) => reader.readEntries(good, bad));
    if (some.length === 0) return found;
    for (const one of some) found.push(...(await below(one, `${path}${entry.name}/`)));
  }
}

class Giving {
  private readonly words: Record<string, string>;
  private readonly chosen: Chosen[] = [];
  private readonly list: HTMLElement;
  private readonly status: HTMLElement;
  private readonly send: HTMLButtonElement;
  private readonly piece: number;
  private parcel = "";
  private busy = false;

  constructor(private readonly form: HTMLFormElement) {
    this.words = JSON.parse(form.dataset["words"] ?? "{}") as Record<string, string>;
    this.piece = Number(form.dataset["piece"] ?? 2 ** 21);
    const part = <T extends Element>(name: string): T => form.querySelector<T>(name)!;
    this.list = part("[data-list]");
    this.status = part("[data-status]");
    this.send = part("[data-send]");
    for (const input of form.querySelectorAll<HTMLInputElement>("input[data-files]")) {
      input.addEventListener("change", () => {
        for (const file of input.files ?? []) this.add(file, file.webkitRelativePath || file.name);
        input.value = "";
        this.ready();
      });
    }
    form.querySelector("input[name=file]")?.removeAttribute("name");
    this.drops(part("[data-drop]"));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.go();
    });
    addEventListener("beforeunload", (event) => {
      if (this.busy) event.preventDefault();
    });
  }

  private word(name: string, values: Record<string, string | number> = {}): string {
    return fill(this.words[name] ?? name, values);
  }

  private drops(zone: HTMLElement): void {
    for (const name of ["dragenter", "dragover"] as const) {
      zone.addEventListener(name, (event) => {
        event.preventDefault();
        zone.classList.add("over");
      });
    }
    for (const name of ["dragleave", "drop"] as const) {
      zone.addEventListener(name, () => zone.classList.remove("over"));
    }
    zone.addEventListener("drop", (event) => {
      event.preventDefault();
      void this.dropped(event.dataTransfer);
    });
  }

  private async dropped(data: DataTransfer | null): Promise<void> {
    if (!data) return;
    const files = [...data.files];
    const entries = [...data.items].map((item) => item.webkitGetAsEntry()).filter((one) => one !== null);
    if (entries.length === 0) for (const file of files) this.add(file, file.name);
    for (const entry of entries) for (const [file, label] of await below(entry, "")) this.add(file, label);
    this.ready();
  }

  private add(file: File, label: string): void {
    if (this.chosen.some((one) => one.label === label && one.file.size === file.size)) return;
    const state = make("span", { class: "state" }, this.word("waiting"));
    const bar = make("progress", { max: Math.max(file.size, 1), value: 0, "aria-label": label });
    const row = make("li", {}, make("span", { class: "name", title: label }, label), state, bar);
    if (this.chosen.length < SHOWN) this.list.append(row);
    this.chosen.push({ file, label, row, state, bar, upload: "", whole: false });
  }

  private ready(): void {
    const bytes = this.chosen.reduce((sum, one) => sum + one.file.size, 0);
    const language = document.documentElement.lang;
    const unit = { style: "unit", unit: "megabyte", maximumFractionDigits: 1 } as const;
    const size = new Intl.NumberFormat(language, unit).format(bytes / 1e6);
    if (this.chosen.length) this.status.textContent = this.word("ready", { n: this.chosen.length, size });
  }

  private async go(): Promise<void> {
    if (this.busy) return;
    if (this.chosen.length === 0) {
      this.status.textContent = this.word("none");
      this.form.querySelector<HTMLElement>("input[data-files]")?.focus();
      return;
    }
    this.busy = true;
    this.send.disabled = true;
    try {
      this.parcel ||= await this.open();
      const left = this.chosen.filter((one) => !one.whole);
      const workers = Array.from({ length: AT_ONCE }, async () => {
        for (let one = left.shift(); one; one = left.shift()) await this.file(one);
      });
      await Promise.all(workers);
      const done = (await this.post(`/parcels/${this.parcel}/send`, {})) as { to?: string };
      this.status.textContent = this.word("sent");
      this.busy = false;
      location.assign(done.to ?? "/submissions");
    } catch (error) {
      this.busy = false;
      this.send.disabled = false;
      const what = error instanceof Refused ? error.message : "";
      this.status.textContent = what ? this.word("refused", { what }) : this.word("stopped");
    }
  }

  private async post(path: string, body: object): Promise<Record<string, unknown>> {
    return answer(
      await fetch(path, {
        method: "POST",
        credentials: "same-origin",
        headers: { "Content-Type": "application/json", Accept: "application/json" },
        body: JSON.stringify(body),
      }),
    );
  }

  private async open(): Promise<string> {
    const data = new FormData(this.form);
    const person = String(data.get("person") ?? "").trim();
    const body = { policy: data.get("policy"), agree: data.getAll("agree"), ...(person ? { person } : {}) };
    const made = await this.post("/parcels", body);
    return String(made["id"]);
  }

  /** Send one file, piece by piece; after a cut ask how far it is and go on there. */
  private async file(one: Chosen): Promise<void> {
    let offset = 0;
    for (let tries = 0; ; ) {
      try {
        if (!one.upload) {
          const told = await this.begin(one);
          one.upload = told.id;
          if (this.over(one, told)) return;
        }
        if (tries) offset = (await this.where(one)).offset;
        do {
          const told = await this.piecewise(one, offset);
          offset = told.offset;
          tries = 0;
          if (this.over(one, told)) return;
        } while (offset < one.file.size);
        return;
      } catch (error) {
        tries += 1;
        if (error instanceof Refused || tries >= TRIES) {
          one.state.textContent = this.word("failed");
          one.row.classList.add("failed");
          throw error;
        }
        one.state.textContent = this.word("again");
        await pause(300 * 2 ** tries);
      }
    }
  }

  private async begin(one: Chosen): Promise<Told> {
    const response = await fetch(`/uploads?parcel=${this.parcel}`, {
      method: "POST",
      credentials: "same-origin",
      headers: {
        Accept: "application/json",
        "Upload-Length": String(one.file.size),
        "Content-Type": "application/offset+octet-stream",
        "Upload-Name": encodeURIComponent(one.label),
      },
    });
    return (await answer(response)) as unknown as Told;
  }

  private async where(one: Chosen): Promise<Told> {
    const response = await fetch(`/uploads/${one.upload}`, { headers: { Accept: "application/json" } });
    return (await answer(response)) as unknown as Told;
  }

  private async piecewise(one: Chosen, offset: number): Promise<Told> {
    const response = await fetch(`/uploads/${one.upload}`, {
      method: "PATCH",
      credentials: "same-origin",
      headers: {
        Accept: "application/json",
        "Content-Type": "application/offset+octet-stream",
        "Upload-Offset": String(offset),
      },
      body: one.file.slice(offset, offset + this.piece),
    });
    return (await answer(response)) as unknown as Told;
  }

  private over(one: Chosen, told: Told): boolean {
    one.bar.value = told.offset;
    const percent = Math.floor((100 * told.offset) / Math.max(one.file.size, 1));
    one.state.textContent = this.word("sending", { percent });
    if (!told.whole) return false;
    one.whole = true;
    one.bar.value = one.bar.max;
    one.row.classList.add("done");
    one.state.textContent = this.word(told.known ? "known" : "done");
    const n = this.chosen.filter((each) => each.whole).length;
    this.status.textContent = this.word("count", { n, all: this.chosen.length });
    return true;
  }
}

/** Take a form over that can be sent without a script too. */
export function giving(form: HTMLFormElement): void {
  new Giving(form);
}
