// Views over data: which one is shown, the path of a condition by mouse and by number, parts that are looked at alone, tables of one's own.
// What the reader wants is in the page's `state`; the server reads and checks it, and computes every number.
"use strict";

let drawnPath = null;    // the condition that is being drawn: its series, and the last place that it reached
let alone = null;        // the number of the part that is looked at alone, or null
let fitted = "";         // the size for which panels were drawn again last

/** The path of a condition on a series, a text a period, empty where it is free. */
function pathOf(target) {
  const said = state.getAll("condition").find((text) => text.slice(0, text.lastIndexOf(":")) === target);
  return said === undefined ? [] : said.slice(said.lastIndexOf(":") + 1).split(",");
}

/** Write a path into the state, after those of other series; one without a number is none. */
function setPath(target, path) {
  const others = state.getAll("condition").filter((text) => text.slice(0, text.lastIndexOf(":")) !== target);
  state.delete("condition");
  for (const text of others) state.append("condition", text);
  const numbers = [...path].map((text) => text ?? "");
  while (numbers.length && numbers.at(-1) === "") numbers.pop();
  if (numbers.length) state.append("condition", `${target}:${numbers.join(",")}`);
}

/** Show the path of the chosen series in the fields. */
function fillPath() {
  const chosen = $("#path-of");
  if (!chosen) return;
  const path = pathOf(chosen.value);
  for (const field of document.querySelectorAll("[data-path]")) if (field !== document.activeElement) field.value = path[field.dataset.path] ?? "";
}

/** Where a point of the page lies in a plot: which period ahead, and which value, on the axes of `frame`. */
function placeIn(svg, event, frame) {
  const box = svg.getBoundingClientRect(), { width, height } = svg.viewBox.baseVal;
  const x = ((event.clientX - box.left) * width / box.width - MARGIN.left) / (width - MARGIN.left - MARGIN.right);
  const y = ((event.clientY - box.top) * height / box.height - MARGIN.top) / (height - MARGIN.top - MARGIN.bottom);
  const ahead = Math.min(Math.max(Math.round(x * frame.last), frame.first), frame.last) - frame.first;
  return { ahead, value: frame.high - Math.min(Math.max(y, 0), 1) * (frame.high - frame.low) };
}

function frameOf(svg) {
  const { low, high, last, first } = svg.dataset;
  return { low: Number(low), high: Number(high), last: Number(last), first: Number(first) };
}

/** A value rounded to a step that reads well on these axes. */
function roundedOn(frame, value) {
  const step = 10 ** Math.floor(Math.log10((frame.high - frame.low) / 100));
  return String(Number((Math.round(value / step) * step).toPrecision(8)));
}

/** Carry the pointer's place into the path, and every period between it and the last one. */
function drawTo(event) {
  const svg = plotOf(drawnPath.target);
  if (!svg) return;
  const frame = frameOf(svg), { ahead, value } = placeIn(svg, event, frame);
  const path = pathOf(drawnPath.target), before = drawnPath.last ?? { ahead, value };
  const steps = Math.abs(ahead - before.ahead);
  for (let k = 0; k <= steps; k++) {
    const share = steps ? k / steps : 1;
    path[before.ahead + Math.sign(ahead - before.ahead) * k] = roundedOn(frame, before.value + share * (value - before.value));
  }
  drawnPath.last = { ahead, value };
  setPath(drawnPath.target, path);
  fillPath();
  sketch(svg);
  draw(event.timeStamp);
}

/** Show a path in its panel at once, as the server will draw it with its answer. */
function sketch(svg) {
  const { width, height } = svg.viewBox.baseVal, { low, high, last, first } = frameOf(svg);
  const handles = new Map([...svg.querySelectorAll(".handle")].map((handle) => [Number(handle.dataset.ahead), handle]));
  const points = [...pathOf(svg.dataset.target)].map((text, ahead) => text && {
    ahead,
    x: MARGIN.left + (width - MARGIN.left - MARGIN.right) * (first + ahead) / Math.max(last, 1),
    y: MARGIN.top + (height - MARGIN.top - MARGIN.bottom) * (high - Number(text)) / (high - low),
  });
  const line = svg.querySelector(".condition:not([data-values])") ?? svg.appendChild(document.createElementNS(SVG, "path"));
  line.setAttribute("class", "condition");
  line.setAttribute("d", points.map((point, k) => (point ? `${points[k - 1] ? "L" : "M"}${point.x} ${point.y}` : "")).join(""));
  for (const { ahead, x, y } of points.filter(Boolean)) {
    const handle = handles.get(ahead) ?? svg.appendChild(document.createElementNS(SVG, "circle"));  // the one that is pressed stays, for the second click
    for (const [name, value] of Object.entries({ class: "handle", cx: x, cy: y, r: 5, "data-ahead": ahead })) handle.setAttribute(name, value);
    handles.delete(ahead);
  }
  for (const freed of handles.values()) freed.remove();
  shown.delete($("#drawn"));  // what the server says next replaces it, also where it is what it said before
}

function plotOf(target) {
  return [...document.querySelectorAll("#drawn .over-data svg[data-target]")].find((svg) => svg.dataset.target === target);
}

/** The plot whose field a pointer is on, or nothing. */
function fieldOf(event) { return event.target.closest?.(".field, .handle")?.closest("svg[data-target]"); }

document.addEventListener("pointerdown", (event) => {
  const svg = fieldOf(event);
  if (!svg || event.button !== 0) return;
  drawnPath = { target: svg.dataset.target, last: null };
  starts(svg);
  move.byPointer = true;
  $("#path-of").value = drawnPath.target;
  drawTo(event);
});

// The second click on a period frees it, which the first has set. The picture is replaced between the two, so that the browser sees no double click, but it counts them.
document.addEventListener("mousedown", (event) => {
  const svg = fieldOf(event);
  if (!svg || event.detail !== 2) return;
  const path = pathOf(svg.dataset.target);
  path[placeIn(svg, event, frameOf(svg)).ahead] = "";
  drawnPath = null;
  setPath(svg.dataset.target, path);
  fillPath();
  sketch(svg);
  remember(null);
  draw(event.timeStamp);
});

document.addEventListener("pointermove", (event) => { if (drawnPath) drawTo(event); });

for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, () => {
  if (!drawnPath) return;
  drawnPath = null;
  remember(null);
});

document.addEventListener("input", (event) => {
  const field = event.target;
  if (!("path" in field.dataset)) return;
  const target = $("#path-of").value, path = pathOf(target);
  path[field.dataset.path] = field.value;
  setPath(target, path);
  draw(event.timeStamp);
});

/** Which shocks meet the condition, as the boxes say. */
function chooseShocks() {
  state.delete("by");
  for (const box of document.querySelectorAll("[data-by]:checked")) state.append("by", box.dataset.by);
  if ($("#announced").checked) state.set("announced", "1"); else state.delete("announced");
  remember(null);
  draw(performance.now());
}

document.addEventListener("change", (event) => {
  const control = event.target;
  if ("field" in control.dataset) {
    for (const name of ofData(control.dataset.field)) state.delete(name);
    if (control.value === control.dataset.default) state.delete(control.dataset.field);
    else state.set(control.dataset.field, control.value);
    return visit(state);
  }
  if (control.id === "sample" || control.id === "ahead") return visit(state, false);
  if (control.id === "path-of") return fillPath();
  if ("by" in control.dataset || control.id === "announced") return chooseShocks();
  if ("path" in control.dataset) remember(null);
});

/** Fields of the state that belong to one data set: they go with it. */
function ofData(field) {
  return field === "data" ? [...state.keys()].filter((name) => /^[oet]\./.test(name) || name === "condition" || name === "sample") : [];
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-view]"), part = event.target.closest?.("[data-part]");
  if (link && !event.metaKey && !event.ctrlKey) { event.preventDefault(); see(link.dataset.view); }
  if (part) { alone = alone === part.dataset.part ? null : part.dataset.part; lookAt(); }
  if (event.target.id === "no-condition") { state.delete("condition"); fillPath(); remember(null); draw(event.timeStamp); }
  const preset = event.target.closest?.("a[data-state]");
  if (preset) { event.preventDefault(); visit(preset.dataset.state); }
});

/** Show another view of the same world and parameters. */
function see(kind) {
  const next = new URLSearchParams(state);
  if (kind === "responses") next.delete("view"); else next.set("view", kind);
  return visit(next);
}

/** Dim all parts but the one that is looked at alone. */
function lookAt() {
  const drawn = $("#drawn");
  if (alone !== null && !drawn.querySelector(`[data-part="${alone}"]`)) alone = null;
  if (alone === null) delete drawn.dataset.alone; else drawn.dataset.alone = alone;
  for (const button of drawn.querySelectorAll("[data-part]")) button.setAttribute("aria-pressed", String(button.dataset.part === alone));
  for (const bar of drawn.querySelectorAll(".part")) bar.classList.toggle("dimmed", alone !== null && !bar.classList.contains(`p${alone}`) && bar.hasAttribute("d"));
}

/** Draw again where panels have become larger or smaller than they were when they were asked for. */
function fit() {
  const svg = $("#drawn .over-data .plot > svg");
  if (!svg) return;
  const { clientWidth, clientHeight } = svg.parentElement, { width, height } = svg.viewBox.baseVal, size = `${clientWidth} ${clientHeight}`;
  if (size === fitted || Math.abs(clientWidth - width) + Math.abs(clientHeight - height) < 3) return;
  fitted = size;
  draw(performance.now());
}

new MutationObserver(() => { lookAt(); fit(); }).observe(document.querySelector("main"), { childList: true, subtree: true });

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.classList.contains("table-form")) return;
  event.preventDefault();
  const button = form.querySelector("button"), error = form.querySelector(".table-error");
  button.disabled = true; error.textContent = "";
  try {
    const answer = await (await fetch(form.getAttribute("action"), { method: "POST", body: new FormData(form) })).json();
    if (answer.error) error.textContent = answer.error;
    else await showTable(form.dataset, answer[form.dataset.field]);
  } catch {
    error.textContent = "The file could not be sent. It may be too large, or the explorer is no longer running.";
  }
  button.disabled = false;
});

/** Go to the view of a table that was loaded. */
async function showTable({ field, view }, name) {
  for (const other of ofData(field)) state.delete(other);
  state.set(field, name);
  if (view === "responses") state.delete("view");
  else if (state.get("view") !== "forecast") state.set("view", view);
  await visit(state);
  $("#picture").scrollIntoView();
}
