// Small helps for every page. Each of them only adds to what works without a script.

import { painted } from "./dom.js";
import { giving } from "./give.js";
import { passkeys } from "./passkey.js";

/** Write times of the server (UTC) as they are here, in the language of the page. */
function localTimes(root: ParentNode): void {
  const language = document.documentElement.lang || "en";
  const form = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
  for (const element of root.querySelectorAll<HTMLTimeElement>("time[datetime]")) {
    const moment = new Date(element.dateTime);
    if (Number.isNaN(moment.getTime()) || element.dataset["local"]) continue;
    element.dataset["local"] = "1";
    element.title = element.textContent ?? "";
    element.textContent = form.format(moment);
  }
}

/** j and k: down and up a queue. */
function walk(key: string): boolean {
  if (key !== "j" && key !== "k") return false;
  const rows = [...document.querySelectorAll<HTMLElement>("[data-queue] a")];
  const at = rows.findIndex((row) => row === document.activeElement);
  const next = rows[at < 0 ? 0 : Math.min(Math.max(at + (key === "j" ? 1 : -1), 0), rows.length - 1)];
  next?.focus();
  return next !== undefined;
}

/** One key, one action: only where no one is typing, and never with a modifier. */
function shortcuts(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const target = event.target as HTMLElement;
  if (target.closest("input:not([type=checkbox]), select, textarea, .stage, [contenteditable]")) return;
  if (walk(event.key)) return event.preventDefault();
  const wanted = document.querySelector<HTMLElement>(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  if (!wanted) return;
  event.preventDefault();
  wanted.focus();
  wanted.click();
}

function enhance(root: ParentNode): void {
  void painted().then(() => localTimes(root)); // a browser's words for times take long to load
  for (const select of root.querySelectorAll<HTMLSelectElement>("select[data-submits]")) {
    select.addEventListener("change", () => select.form?.requestSubmit());
  }
  for (const one of root.querySelectorAll<HTMLElement>("[data-print]")) {
    one.addEventListener("click", () => window.print());
  }
  for (const form of root.querySelectorAll<HTMLFormElement>("form[data-confirm]")) {
    form.addEventListener("submit", (event) => {
      if (!confirm(form.dataset["confirm"])) event.preventDefault();
    });
  }
  for (const form of root.querySelectorAll<HTMLFormElement>("form[data-give]")) giving(form);
  passkeys(root);
}

document.documentElement.classList.replace("no-js", "js");
document.addEventListener("keydown", shortcuts);
document.addEventListener("safelight:saved", () => setTimeout(() => location.reload(), 600));
document.addEventListener("htmx:afterSettle", (event) => localTimes(event.target as HTMLElement));
enhance(document);
