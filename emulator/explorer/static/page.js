// The page's own script: it carries controls to the address and to the server, and shows what the server draws. It computes no response.
//
// What the reader wants is in `state`. Controls write into it; an answer of the server never does, so that no late answer can undo a newer choice.
"use strict";

const REST = 200;        // ms without change after which slow exact solutions are asked for
const ONE_STEP = 1000;   // ms within which changes of the same control are one step of the history
const OF_A_WORLD = /^[poet]\.|^(show|condition|by|announced|posterior)$/;  // fields of a state that another world does not take
const SILENT = "The explorer does not answer. Is it still running?";

const $ = (selector) => document.querySelector(selector);
const shown = new WeakMap();
let state = new URLSearchParams($("main").dataset.query);
let visiting = null;     // the request of a page with other controls, while it is on its way
let changed = null;      // when the first change happened that is not drawn yet, on performance.now()'s clock
let drawing = false, resting = 0, waiting = null, last = { control: null, at: 0 };

/** Write what a control says into the state; the server reads and checks it. */
function write(control) {
  const name = control.name;
  if (name.startsWith("p.") && $("#controls").dataset.world !== state.get("world")) return; // of a world that is being left
  if (control.type === "checkbox") return writeChecked(control);
  const value = control.type === "number" && control.value === "" ? "nan" : control.value;
  const usual = control.dataset.default;
  if (usual !== undefined && (value === usual || Number(value) === Number(usual))) state.delete(name);
  else state.set(name, value);
}

function writeChecked(control) {
  if (control.name === "show") return writeShown(control);
  const others = control.name === "with" ? state.getAll("with").filter((world) => world !== control.value) : [];
  state.delete(control.name);
  for (const world of others) state.append("with", world);
  if (control.name === "with" && control.checked) state.append("with", control.value);
  if (control.name === "exact" && !control.checked) state.set("exact", "0");
}

/** Carry the chosen observables into the state; one at least stays, and no more than can be drawn. */
function writeShown(control) {
  const chosen = [...document.querySelectorAll("#controls [name=show]:checked")].map((box) => box.value);
  const most = Number(control.closest("[data-most]").dataset.most);
  if (chosen.length === 0 || chosen.length > most) {
    control.checked = !control.checked;
    return put($("#chosen") ?? {}, "textContent", chosen.length ? `at most ${most} are drawn` : "one at least is drawn");
  }
  if ($("#chosen")) put($("#chosen"), "textContent", `${chosen.length} of ${document.querySelectorAll("#controls [name=show]").length} drawn`);
  state.delete("show");
  for (const name of chosen) state.append("show", name);
}

/** Set every control to what the state says. */
function restore() {
  const shows = state.getAll("show");
  for (const control of $("#controls").elements) {
    if (!control.name) continue;
    if (control.name === "with") control.checked = state.getAll("with").includes(control.value);
    else if (control.name === "show") control.checked = shows.length ? shows.includes(control.value) : control.dataset.default === "1";
    else if (control.name === "exact") control.checked = state.get("exact") !== "0";
    else control.value = state.get(control.name) ?? control.dataset.default;
    align(control);
  }
}

/** Move the slider beside a number to it. */
function align(number) {
  const slider = document.querySelector(`[data-for="${number.id}"]`);
  if (slider) slider.value = number.value;
}

/** The fields of a state that make its live scenario. */
function live(fields) {
  return new URLSearchParams([...fields].filter(([name]) => ["world", "shock", "size"].includes(name) || name.startsWith("p.")));
}

/** The server's picture of a state, with notes and table; an `error` where it gives none. Null where the question was withdrawn. */
async function ask(query, patient, signal) {
  layout();
  const plot = $(".plot") ?? $("#drawn");
  const fields = new URLSearchParams({ state: query, patient: patient ? "1" : "0", w: Math.round(plot.clientWidth), h: Math.round(plot.clientHeight), table: $("#numbers").open ? "1" : "0" });
  for (const [name, value] of held()) fields.append(name, value);
  try {
    return await (await fetch("/picture?" + fields, { signal })).json();
  } catch (failure) {
    return failure.name === "AbortError" ? null : { error: SILENT };
  }
}

/** Put the picture of a state into the page. Returns whether nothing is left to be solved. */
async function show(query, patient, signal) {
  const answer = await ask(query, patient, signal);
  if (answer === null) return true;
  put($("#error"), "textContent", answer.error || "");
  if (answer.error) return true;
  if (answer.picture) put($("#drawn"), "innerHTML", answer.picture); // else what was there stays until there is one,
  $("#drawn").classList.toggle("stale", !answer.picture && answer.complete);  // dimmed where none is to come
  put($("#notes"), "innerHTML", answer.notes);
  put($("#table"), "innerHTML", answer.table);
  document.dispatchEvent(new Event("drawn"));
  return answer.complete;
}

/** Set only what differs, so that screen readers repeat nothing. */
function put(place, what, content) {
  if (shown.get(place) === content) return;
  shown.set(place, content);
  place[what] = content;
}

/** Draw the state: one request at a time, the newest state next, slow solutions when the controls rest. */
async function draw(since) {
  changed ??= since;
  waiting?.abort();
  clearTimeout(resting);
  busy(true);
  if (drawing) return;
  drawing = true;
  let complete = true, again = true;
  while (changed !== null) {
    const start = changed;
    changed = null;
    complete = await show(state.toString(), false);
    // The legend and the notes are known only now: the same state looks the same, whatever was shown before it.
    if (changed === null && again && layout()) { again = false; changed = start; }
    await new Promise((painted) => requestAnimationFrame(() => setTimeout(painted)));
    performance.measure("control to picture", { start, end: performance.now() });
  }
  drawing = false;
  if (complete) return busy(false);
  resting = setTimeout(async () => {
    const asking = waiting = new AbortController();
    await show(state.toString(), true, asking.signal);
    if (!asking.signal.aborted && layout()) await show(state.toString(), true, asking.signal);
    if (!asking.signal.aborted) busy(false);
  }, REST);
}

/** Tell screen readers, and whoever else waits, whether the picture is still to change. */
function busy(is) { $("#picture").setAttribute("aria-busy", is || visiting !== null || move !== null); }

/** Let the address carry the state; quick changes of one control make one step of the history. */
function remember(control) {
  const now = performance.now();
  const follows = control !== null && control === last.control && now - last.at < ONE_STEP;
  last = { control, at: now };
  if (state.toString() === history.state?.query) return;
  step(follows ? "replaceState" : "pushState", "/?" + state);
}

/** Make or change a step of the history; each knows its state, also where the address leaves it out. */
function step(how, address) {
  history[how]({ query: state.toString() }, "", address);
  for (const link of document.querySelectorAll("[data-download]")) link.search = state;
}

/** Go to a state that has other controls: of another world or shock, or of another step of the history. */
async function visit(next, push = true) {
  state = new URLSearchParams(next);
  last = { control: null, at: 0 };
  const asked = state.toString();
  visiting?.abort();
  const request = visiting = new AbortController();
  busy(true);
  if (push) step("pushState", "/?" + state);
  let text, refused;
  try {
    const answer = await fetch("/?" + asked, { signal: request.signal });
    text = await answer.text();
    refused = !answer.ok;
  } catch (failure) {
    if (failure.name === "AbortError") return;
    text = null;
  }
  visiting = null;
  if (text === null) {
    put($("#error"), "textContent", SILENT);
    return busy(false);
  }
  arrive(new DOMParser().parseFromString(text, "text/html"), asked, refused);
}

/** Put a page's controls and picture in the place of the old; what the reader chose since the page was asked for stays. */
function arrive(page, asked, refused) {
  const sent = new URLSearchParams(page.querySelector("main").dataset.query);
  const focused = document.activeElement?.id, scrolled = $("#controls").scrollTop;
  for (const part of ["#picture", "#controls", "#about"]) $(part).replaceWith(page.querySelector(part));
  document.title = page.title;
  document.dispatchEvent(new Event("arrived"));
  const untouched = refused || state.toString() === asked;
  if (untouched) state = sent;
  else for (const name of ["world", "shock"]) if (!state.has(name)) state.set(name, sent.get(name));
  restore();
  step("replaceState", untouched ? location.href : "/?" + state);
  $("#controls").scrollTop = scrolled;
  if (focused) document.getElementById(focused)?.focus();
  draw(performance.now());
}

/** Go to another world, whose parameters are at their defaults; the shock stays where it is known. */
function travel(world, shocks) {
  const next = new URLSearchParams([...state].filter(([name, value]) => !OF_A_WORLD.test(name) && !(name === "with" && value === world)));
  next.set("world", world);
  if (!shocks.includes(next.get("shock"))) next.delete("shock");
  return visit(next);
}

/** Pin the live scenario, once the server has drawn it; the oldest pin is given up where there are too many. */
async function pin(most) {
  const answer = await ask(live(state) + "&exact=0", false);
  if (answer.error) return put($("#error"), "textContent", answer.error);
  setPins([...state.getAll("pin").filter((other) => other !== answer.live), answer.live].slice(-most));
}

function setPins(pins) {
  state.delete("pin");
  for (const each of pins) state.append("pin", each);
  remember(null);
  draw(performance.now());
}

/** Every parameter at its default. */
function reset() {
  state = new URLSearchParams([...state].filter(([name]) => !name.startsWith("p.")));
  restore();
  remember(null);
  draw(performance.now());
}

/** A slider's value, rounded to steps that read well, within its range. */
function rounded(slider) {
  const size = Number(slider.dataset.step), value = Number((Math.round(slider.value / size) * size).toPrecision(12));
  return Math.min(Math.max(value, slider.min), slider.max);
}

/** Whether a control says something of the state; what only helps to choose, such as the name of a preset, has no name. */
function states(control) { return control.name !== "" || control.type === "range"; }

document.addEventListener("input", (event) => {
  const control = event.target;
  if (!control.closest("#controls") || "structure" in control.dataset || !states(control)) return;
  if (control.type === "range") {
    const number = document.getElementById(control.dataset.for);
    number.value = rounded(control);
    write(number);
  } else {
    align(control);
    write(control);
  }
  draw(event.timeStamp);
});

document.addEventListener("change", (event) => {
  const control = event.target;
  if (control.id === "theme") return theme(control.value);
  if (!control.closest("#controls")) return;
  if (control.id === "world") return travel(control.value, control.selectedOptions[0].dataset.shocks.split(" "));
  if (control.id !== "shock") return remember(control);
  const next = new URLSearchParams(state);
  next.set("shock", control.value);
  visit(next);
});

document.addEventListener("click", (event) => {
  const unpin = event.target.closest("[data-unpin]"), button = event.target.closest("button");
  if (unpin) { event.preventDefault(); setPins(state.getAll("pin").filter((other) => other !== unpin.dataset.unpin)); }
  if (button?.id === "pin") pin(Number(button.dataset.most));
  if (button?.id === "defaults") reset();
  if (button?.id === "copy") navigator.clipboard?.writeText(location.href).then(() => { button.textContent = "Copied"; setTimeout(() => { button.textContent = "Copy address"; }, 1500); });
});

document.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (event.target.id !== "upload") return;
  const button = event.target.querySelector("button"), error = $("#upload-error");
  button.disabled = true; button.textContent = "Reading …"; error.textContent = "";
  try {
    const answer = await (await fetch("/upload", { method: "POST", body: new FormData(event.target) })).json();
    if (answer.error) error.textContent = answer.error;
    else await travel(answer.world, []);
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
addEventListener("popstate", (event) => visit(event.state?.query ?? location.search, false));
theme(localStorage.getItem("theme") || "");
step("replaceState", location.href);
document.dispatchEvent(new Event("arrived"));
draw(performance.now());
