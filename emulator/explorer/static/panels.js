// The panels of the picture: how many stand side by side, axes that stay while a slider is moved, and the read-out. It computes no response: numbers are
// those that the server wrote beside the lines.
"use strict";

const GAP = 12, SHAPE = 1.6;           // pixels between panels; width over height of the panel that fills best
const MARGIN = { left: 46, right: 8, top: 8, bottom: 22 };  // around a plot, as the server draws it
const SVG = "http://www.w3.org/2000/svg";

let move = null;         // a slider that is being moved: what was live before, and the axes that stay
let pressed = false;     // whether a pointer is down
let reading = null;      // the period that is read off, or null

/** Choose columns and the height of plots so that the panels fill the window; nothing jumps while a slider is moved. Returns whether anything changed. */
function layout() {
  const panels = $("#drawn .panels");
  if (!panels || move !== null) return false;
  $("#picture").style.setProperty("--tall", `${innerHeight}px`);  // of views over data, whose panels are as high as they were asked for
  const narrow = matchMedia("(max-width: 820px)").matches;
  const n = document.querySelectorAll("#controls [name=show]:checked").length || panels.children.length;
  const caption = panels.querySelector("figcaption")?.offsetHeight || 20;
  const notes = [...document.querySelectorAll("#notes .note")].reduce((sum, note) => sum + note.offsetHeight + 6, 0);
  const below = Math.min(($("#drawn .legend")?.offsetHeight ?? 0) + notes, 160) + (narrow ? 8 : 56);
  const picture = $("#picture"), above = panels.getBoundingClientRect().top + (narrow ? picture.scrollTop - picture.getBoundingClientRect().top : scrollY);
  const width = $("#drawn").clientWidth, height = (narrow ? 0.62 : 1) * innerHeight - above - below;
  const [least, shortest] = narrow ? [150, 72] : [190, 110];
  let best = { size: 0, columns: 1, plot: 240 };
  for (let columns = 1; columns <= n; columns++) {
    const rows = Math.ceil(n / columns), gap = narrow ? 0 : GAP;
    const wide = (width - gap * (columns - 1)) / columns, tall = Math.max((height - gap * (rows - 1)) / rows - caption, shortest);
    if (columns > 1 && wide < least) break;
    const shape = narrow ? 2.4 : SHAPE, crowded = Math.min(1, height / (rows * (tall + caption) + gap * (rows - 1)));
    const size = Math.min(wide, shape * tall) * Math.sqrt(n / (rows * columns)) * crowded;
    if (size > best.size) best = { size, columns, plot: Math.floor(Math.min(tall, wide)) };
  }
  const style = $("#picture").style, before = style.cssText;
  style.setProperty("--columns", best.columns);
  style.setProperty("--plot", `${best.plot}px`);
  return style.cssText !== before;
}

/** What a move is about: axes and curves of another world or view are not held against it. */
function moved() { return `${$("#controls").dataset.world} ${state.get("world")} ${state.get("view")}`; }

/** What a question says of the panels: the axes to keep, and what was shown, while a slider is moved or a path is drawn. */
function held() {
  return move === null || move.of !== moved() ? [] : [["ghost", move.before], ...[...move.axes].map(([name, [low, high]]) => ["hold", `${name}:${low}:${high}`])];
}

/** The limits of each panel that is drawn, wider ones in the place of those that are held. */
function axes() {
  return [...document.querySelectorAll("#drawn .plot > svg")].map((svg) => [svg.dataset.name, [svg.dataset.low, svg.dataset.high]]);
}

/** A slider, or the plot in which a path is drawn, is about to change the state. */
function starts(slider) {
  if (move?.slider === slider) return clearTimeout(move.rest);
  if (move !== null) clearTimeout(move.rest);
  move = { slider, of: moved(), before: (state.has("view") ? state : live(state)).toString(), axes: new Map(axes()), rest: 0 };
}

/** A slider was let go: a pointer ends the move, keys do when they rest. */
function rests() {
  if (move === null) return;
  clearTimeout(move.rest);
  if (move.byPointer) return ends();
  move.rest = setTimeout(ends, ONE_STEP);
}

function ends() {
  if (move === null) return;
  clearTimeout(move.rest);
  move = null;
  draw(performance.now());
}

/** The period under a point of the page, of a plot. */
function periodAt(svg, x) {
  const box = svg.getBoundingClientRect(), last = Number(svg.dataset.last);
  const share = ((x - box.left) * svg.viewBox.baseVal.width / box.width - MARGIN.left) / (svg.viewBox.baseVal.width - MARGIN.left - MARGIN.right);
  return Math.min(Math.max(Math.round(share * last), 0), last);
}

/** What a period is called: by its date where the panels have dates, else by its number. */
function nameOf(period) {
  const { labels, period: kind } = $("#drawn .panels").dataset;
  return labels ? labels.split(" ")[period] : `${kind} ${period}`;
}

/** A number as the page writes it. */
function inWords(value) {
  const short = String(Number(Number(value).toPrecision(4)));
  return short.startsWith("-") ? short.replace("-", "\u2212") : `+${short}`;
}

/** The lines of a plot that have a number in a period: whose, how much, and the ends of its band. */
function numbersOf(svg, period) {
  return [...svg.querySelectorAll("[data-values]")].map((path) => {
    const [value, lower, upper] = ["values", "lower", "upper"].map((name) => path.dataset[name]?.split(" ")[period]);
    return { path, value, lower, upper };
  }).filter(({ value }) => value !== undefined && value !== "nan");
}

/** Read every panel off in the period that is chosen, or take the read-out away. */
function readOff() {
  for (const old of document.querySelectorAll("#drawn .guide, #drawn .readout")) old.remove();
  if (reading === null) return;
  for (const svg of document.querySelectorAll("#drawn .plot > svg")) {
    const numbers = numbersOf(svg, reading);
    if (numbers.length) mark(svg, numbers, svg.parentElement.dataset.unit);
  }
}

/** Draw the guide and the numbers of one panel. A small one has no room for labels and bands, and its unit stands above it; a tiny one has none for the period. */
function mark(svg, numbers, unit) {
  const { width, height } = svg.viewBox.baseVal, last = Math.max(Number(svg.dataset.last), 1), small = width < 420, tiny = height < 100;
  const x = MARGIN.left + (width - MARGIN.left - MARGIN.right) * reading / last;
  const guide = document.createElementNS(SVG, "path");
  guide.setAttribute("class", "guide");
  guide.setAttribute("d", `M${x} ${MARGIN.top}V${height - MARGIN.bottom}`);
  svg.prepend(guide);
  const left = x > width / 2, box = document.createElement("div");
  const columns = Math.min(Math.ceil(17 * (numbers.length + 1) / (height - 30)), 3);  // of lines of 17 pixels
  box.className = `readout columns-${columns} ${left ? "at-left" : "at-right"} ${above(svg, numbers, left) ? "at-bottom" : "at-top"}`;
  box.setAttribute("aria-hidden", "true");
  if (!tiny) box.appendChild(document.createElement("b")).textContent = small ? nameOf(reading) : `${nameOf(reading)}, ${unit}`;
  for (const { path, value, lower, upper } of numbers) {
    const row = box.appendChild(document.createElement("span"));
    row.appendChild(document.createElement("i")).className = path.getAttribute("class");
    row.append(inWords(value));
    if (small) continue;
    const banded = lower !== undefined && lower !== "nan" && lower !== value;
    row.appendChild(document.createElement("small")).textContent = (banded ? `${inWords(lower)} to ${inWords(upper)} ` : "") + path.dataset.label;
  }
  svg.parentElement.append(box);
}

/** Whether the lines of a plot are mostly in the upper part of its left, or right, half: the read-out then stands below them. */
function above(svg, numbers, left) {
  const low = Number(svg.dataset.low), high = Number(svg.dataset.high);
  const shares = numbers.flatMap(({ path }) => {
    const values = path.dataset.values.split(" ").map(Number), middle = values.length / 2;
    return values.filter((value, k) => Number.isFinite(value) && (k < middle) === left).map((value) => (value - low) / (high - low));
  });
  return shares.reduce((sum, share) => sum + share, 0) > shares.length / 2;
}

/** Say what is read off, for those who hear the page. */
function speak() {
  const panels = [...document.querySelectorAll("#drawn .plot > svg")].map((svg) => {
    const said = numbersOf(svg, reading).map(({ path, value }) => `${path.dataset.label} ${inWords(value)}`);
    return `${svg.dataset.name}, ${svg.parentElement.dataset.unit}: ${said.join(", ")}`;
  });
  $("#reading").textContent = `${nameOf(reading)}. ${panels.join(". ")}.`;
}

function read(period) {
  if (period === reading) return;
  reading = period;
  readOff();
}

document.addEventListener("pointerdown", () => { pressed = true; }, true);
for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, () => { pressed = false; if (move?.byPointer) setTimeout(ends); }, true);

document.addEventListener("pointermove", (event) => {
  const svg = event.target.closest?.("#drawn .plot > svg, #drawn .plot .readout")?.closest(".plot").querySelector("svg");
  if (svg) read(periodAt(svg, event.clientX));
  else if (document.activeElement?.id !== "drawn") read(null);
});

document.addEventListener("keydown", (event) => {
  const first = $("#drawn .plot > svg");
  if (event.target.id !== "drawn" || !first) return;
  const last = Number(first.dataset.last);
  const to = { ArrowRight: Math.min((reading ?? -1) + 1, last), ArrowLeft: Math.max((reading ?? last + 1) - 1, 0), Home: 0, End: last, Escape: null }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  read(to);
  if (to === null) $("#reading").textContent = ""; else speak();
});

document.addEventListener("focusout", (event) => { if (event.target.id === "drawn") { read(null); $("#reading").textContent = ""; } });

// Before the page's own listener, so that what was live is still in the state.
document.addEventListener("input", (event) => {
  if (event.target.type !== "range" || !event.target.closest("#controls")) return;
  starts(event.target);
  move.byPointer = pressed;
}, true);
document.addEventListener("change", (event) => { if (event.target.type === "range") rests(); });
document.addEventListener("drawn", () => {
  if (move !== null) move.axes = new Map(axes());  // which may be wider now
  readOff();
});

// Which observables are drawn.
document.addEventListener("input", (event) => {
  if (event.target.id !== "find-observable") return;
  const sought = event.target.value.trim().toLowerCase();
  for (const label of document.querySelectorAll(".chooser label")) label.hidden = !`${label.textContent} ${label.title}`.toLowerCase().includes(sought);
});

document.addEventListener("click", (event) => {
  const choose = event.target.closest?.("[data-choose]")?.dataset.choose;
  if (!choose) return;
  const boxes = [...document.querySelectorAll("#controls [name=show]")], most = Number($(".chooser").dataset.most);
  boxes.forEach((box, k) => { box.checked = choose === "all" ? k < most : box.dataset.default === "1"; });
  writeShown(boxes[0]);
  remember(null);
  draw(event.timeStamp);
});
