// Builds src/safelight/web/static: scripts and styles with their hash in their names, no maps.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const web = join(here, "..", "src", "safelight", "web");
const out = join(web, "static");
mkdirSync(out, { recursive: true });

const common = { bundle: true, minify: true, write: false, target: "es2022", legalComments: "none", charset: "utf8" };
const made = {};
for (const [name, entry, more] of [
  ["viewer.js", "src/viewer.ts", { format: "iife" }],
  ["page.js", "src/page.ts", { format: "iife" }],
  ["safelight.css", "style/safelight.css", {}],
]) {
  const result = await build({ ...common, ...more, entryPoints: [join(here, entry)], outdir: out });
  const file = result.outputFiles.find((one) => one.path.endsWith(name.endsWith(".css") ? ".css" : ".js"));
  made[name] = Buffer.from(file.contents);
}
const htmx = join(here, "node_modules", "htmx.org");
const version = JSON.parse(readFileSync(join(htmx, "package.json"), "utf8")).version;

const names = { htmx_js: `htmx-${version}.min.js`, icon: "safelight.svg" };
for (const old of readdirSync(out)) {
  if (/^(viewer|page|safelight)-[0-9a-f]{10}\.(js|css)$|^htmx-.*\.js$/.test(old)) rmSync(join(out, old));
}
copyFileSync(join(htmx, "dist", "htmx.min.js"), join(out, names.htmx_js));
copyFileSync(join(here, "style", "safelight.svg"), join(out, names.icon));
for (const [name, bytes] of Object.entries(made)) {
  const [stem, type] = name.split(".");
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 10);
  names[name.replace(".", "_")] = `${stem}-${hash}.${type}`;
  writeFileSync(join(out, `${stem}-${hash}.${type}`), bytes);
}
const lines = Object.entries(names)
  .sort()
  .map(([key, file]) => `{% set ${key} = "/static/${file}" %}\n`);
writeFileSync(join(web, "templates", "_assets.html"), `{# Made by scripts/build_viewer.sh. #}\n${lines.join("")}`);
for (const [key, file] of Object.entries(names).sort()) {
  console.log(key.padEnd(16), file.padEnd(32), readFileSync(join(out, file)).length);
}

// The table of assets names the files; their names have just changed.
const table = join(here, "..", "docs", "assets.md");
let told = readFileSync(table, "utf8");
for (const key of ["viewer_js", "page_js"]) {
  const stem = key.split("_")[0];
  const pattern = new RegExp("`src/safelight/web/static/" + stem + "-[0-9a-f]{10}\\.js`");
  if (!pattern.test(told)) throw new Error(`docs/assets.md does not list ${names[key]}`);
  told = told.replace(pattern, "`src/safelight/web/static/" + names[key] + "`");
}
writeFileSync(table, told);
