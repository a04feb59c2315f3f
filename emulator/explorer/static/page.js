// The page's own script: it carries controls to the address and to the server, and shows what the server draws. It computes no response.
"use strict";

const REST = 200;        // ms without change after which slow exact solutions are asked for
const ONE_STEP = 1000;   // ms within which changes of the same control are one step of the history

const $ = (selector) => document.querySelector(selector);
const shown = new WeakMap();
let changed = null;      // when the first change happened that is not drawn yet, on performance.now()'s clock
let drawing = false, resting = 0, waiting = null, last = { control: null, at: 0 };

/** The state of the controls as the query of an address; the server reads and checks it. */
function query() {
  const found = new URLSearchParams();
  for (const control of $("#controls").elements) {
    if (!control.name || control.disabled && control.name !== "exact") continue;
    if (control.name === "exact") { if (!control.checked) found.append("exact", "0"); continue; }
    if (control.type === "checkbox" && !control.checked) continue;
    const value = control.type === "number" && control.value === "" ? "nan" : control.value;
    if (control.dataset.default !== undefined && (value === control.dataset.default || Number(value) === Number(control.dataset.default))) continue;
    found.append(control.name, value);
  }
  return found.toString();
}

/** Ask for the picture of a state and put it into the page. Returns whether nothing is left to be solved. */
async function show(state, patient, signal) {
  const plot = $(".plot");
  const asked = new URLSearchParams({ state, patient: patient ? "1" : "0", w: Math.round(plot.clientWidth), h: Math.round(plot.clientHeight), table: $("#numbers").open ? "1" : "0" });
  let found;
  try {
    found = await (await fetch("/picture?" + asked, { signal })).json();
  } catch (failure) {
    if (failure.name === "AbortError") return true;
    found = { error: "The explorer does not answer. Is it still running?" };
  }
  put($("#error"), "textContent", found.error || "");
  if (found.error) return true;
  put($("#drawn"), "innerHTML", found.picture);
  put($("#notes"), "innerHTML", found.notes);
  put($("#table"), "innerHTML", found.table);
  return found.complete;
}

/** Set only what differs, so that screen readers repeat nothing. */
function put(place, what, content) {
  if (shown.get(place) === content) return;
  shown.set(place, content);
  place[what] = content;
}

/** Draw the controls' state: one request at a time, the newest state next, slow solutions when the controls rest. */
async function draw(since) {
  changed ??= since;
  waiting?.abort();
  clearTimeout(resting);
  busy(true);
  if (drawing) return;
  drawing = true;
  let complete = true;
  while (changed !== null) {
    const start = changed;
    changed = null;
    complete = await show(query(), false);
    await new Promise((painted) => requestAnimationFrame(() => setTimeout(painted)));
    performance.measure("control to picture", { start, end: performance.now() });
  }
  drawing = false;
  if (complete) return busy(false);
  resting = setTimeout(async () => {
    const asking = waiting = new AbortController();
    await show(query(), true, asking.signal);
    if (!asking.signal.aborted) busy(false);
  }, REST);
}

/** Tell screen readers, and whoever else waits, whether the picture is still to change. */
function busy(is) { $("#picture").setAttribute("aria-busy", is); }

/** Let the address carry the controls' state; quick changes of one control make one step of the history. */
function remember(control) {
  const state = query(), now = performance.now();
  const follows = control === last.control && now - last.at < ONE_STEP;
  last = { control, at: now };
  if (state === $("main").dataset.query) return;
  history[follows ? "replaceState" : "pushState"](null, "", "/?" + state);
  $("main").dataset.query = state;
  for (const link of document.querySelectorAll("[data-download]")) link.search = state;
}

/** Go to a state whose controls differ: another world, an overlay, a pin. */
async function visit(state, push = true) {
  const focused = document.activeElement?.id, scrolled = $("#controls").scrollTop;
  const text = await (await fetch("/?" + state)).text();
  const page = new DOMParser().parseFromString(text, "text/html");
  if (push) history.pushState(null, "", "/?" + state);
  $("main").replaceWith(page.querySelector("main"));
  document.title = page.title;
  settle();
  $("#controls").scrollTop = scrolled;
  if (focused) document.getElementById(focused)?.focus();
}

/** After a page or a part of it came from the server: from here on changes count. */
function settle() {
  last = { control: null, at: 0 };
  $("main").dataset.query = query();
  draw(performance.now());
}

/** The state with the live scenario pinned, the oldest pin given up where there are too many. */
function pinned(most) {
  const state = new URLSearchParams(query()), pins = state.getAll("pin");
  const live = [...state].filter(([name]) => ["world", "shock", "size"].includes(name) || name.startsWith("p."));
  state.delete("pin");
  for (const pin of [...pins, new URLSearchParams(live).toString()].slice(-most)) state.append("pin", pin);
  return state.toString();
}

/** The state with every parameter at its default. */
function atDefaults() {
  return new URLSearchParams([...new URLSearchParams(query())].filter(([name]) => !name.startsWith("p."))).toString();
}

/** A slider's value, rounded to steps that read well, within its range. */
function rounded(slider) {
  const step = Number(slider.dataset.step), value = Number((Math.round(slider.value / step) * step).toPrecision(12));
  return Math.min(Math.max(value, slider.min), slider.max);
}

document.addEventListener("input", (event) => {
  const control = event.target;
  if (!control.closest("#controls") || "structure" in control.dataset) return;
  if (control.type === "range") document.getElementById(control.dataset.for).value = rounded(control);
  const slider = document.querySelector(`[data-for="${control.id}"]`);
  if (slider) slider.value = control.value;
  draw(event.timeStamp);
});

document.addEventListener("change", (event) => {
  const control = event.target;
  if (control.id === "theme") return theme(control.value);
  if (!control.closest("#controls")) return;
  if (!("structure" in control.dataset)) return remember(control);
  const state = new URLSearchParams(query());
  if (control.id === "world") {
    const known = control.selectedOptions[0].dataset.shocks.split(" ");
    if (!known.includes(state.get("shock"))) state.delete("shock");
    for (const name of [...state.keys()]) if (name.startsWith("p.")) state.delete(name);
  }
  visit(state.toString());
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-visit]"), button = event.target.closest("button");
  if (link) { event.preventDefault(); visit(link.search.slice(1)); }
  if (button?.id === "pin") visit(pinned(Number(button.dataset.most)));
  if (button?.id === "defaults") visit(atDefaults());
  if (button?.id === "copy") navigator.clipboard?.writeText(location.href).then(() => { button.textContent = "Copied"; setTimeout(() => { button.textContent = "Copy address"; }, 1500); });
});

document.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (event.target.id !== "upload") return;
  const button = event.target.querySelector("button"), error = $("#upload-error");
  button.disabled = true; button.textContent = "Reading …"; error.textContent = "";
  try {
    const found = await (await fetch("/upload", { method: "POST", body: new FormData(event.target) })).json();
    if (found.error) error.textContent = found.error;
    else await visit(new URLSearchParams({ world: found.world }).toString());
  } catch {
    error.textContent = "The file could not be sent. It may be too large, or the explorer is no longer running.";
  }
  button.disabled = false; button.textContent = "Load";
});

function theme(choice) {
  if (choice) document.documentElement.dataset.theme = choice; else delete document.documentElement.dataset.theme;
  localStorage.setItem("theme", choice);
  $("#theme").value = choice;
}

document.addEventListener("toggle", (event) => { if (event.target.id === "numbers" && event.target.open) draw(performance.now()); }, true);

let resized = 0;
addEventListener("resize", () => { clearTimeout(resized); resized = setTimeout(() => draw(performance.now()), 150); });
addEventListener("popstate", () => visit(location.search.slice(1), false));
theme(localStorage.getItem("theme") || "");
settle();
