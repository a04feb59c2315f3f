// Sets of parameters to start from: the world's own, which the page brings, and the reader's, which this browser keeps.
"use strict";

const MOST_PRESETS = 20;

/** The reader's presets of all worlds, by world and name; none where the browser keeps nothing, or nothing that can be read. */
function ownPresets() {
  try {
    const saved = JSON.parse(localStorage.getItem("presets") || "{}");
    return saved !== null && typeof saved === "object" ? saved : {};
  } catch {
    return {};
  }
}

/** Show the reader's presets of this world, each with a button that forgets it, and mark those that are in force. */
function showPresets() {
  const place = $("#own-presets");
  if (!place) return;
  const mine = Object.entries(ownPresets()[$("#presets").dataset.world] ?? {}).filter(([, query]) => typeof query === "string");
  place.replaceChildren(...mine.flatMap(([name, query]) => {
    const use = document.createElement("button"), forget = document.createElement("button");
    use.type = forget.type = "button";
    use.textContent = name;
    use.dataset.preset = query;
    forget.textContent = "×";
    forget.dataset.forget = name;
    forget.setAttribute("aria-label", `Forget the preset ${name}`);
    return [use, forget];
  }));
  markPresets();
}

/** The values that a query names and the page has a control for, as one text that can be compared. */
function valuesOf(fields) {
  const known = [...fields].filter(([name]) => name.startsWith("p.") && document.getElementById(`p-${name.slice(2)}`));
  return known.map(([name, value]) => [name, Number(value)]).sort(([one], [other]) => (one < other ? -1 : 1));
}

function markPresets() {
  const now = JSON.stringify(valuesOf(state));
  for (const button of document.querySelectorAll("[data-preset]")) {
    button.setAttribute("aria-pressed", JSON.stringify(valuesOf(new URLSearchParams(button.dataset.preset))) === now);
  }
}

/** Give every parameter the value that a preset names, the others their defaults. */
function usePreset(query) {
  state = new URLSearchParams([...state].filter(([name]) => !name.startsWith("p.")));
  for (const [name, value] of valuesOf(new URLSearchParams(query))) state.set(name, value);
  restore();
  remember(null);
  draw(performance.now());
}

function savePreset(name) {
  if (!name) return put($("#preset-help"), "textContent", "Write a name first.");
  const all = ownPresets(), world = $("#presets").dataset.world, mine = { ...all[world], [name]: String(new URLSearchParams(valuesOf(state))) };
  if (Object.keys(mine).length > MOST_PRESETS) return put($("#preset-help"), "textContent", `This browser keeps up to ${MOST_PRESETS} for a world. Forget one first.`);
  keepPresets({ ...all, [world]: mine }, `Kept in this browser. The address holds the values too, and can be sent on.`);
}

function forgetPreset(name) {
  const all = ownPresets(), world = $("#presets").dataset.world;
  delete all[world]?.[name];
  keepPresets(all, `${name} is forgotten.`);
}

function keepPresets(all, words) {
  try {
    localStorage.setItem("presets", JSON.stringify(all));
  } catch {
    words = "This browser keeps nothing. The address holds the values.";
  }
  showPresets();
  put($("#preset-help"), "textContent", words);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("button");
  if (button?.dataset.preset !== undefined) usePreset(button.dataset.preset);
  if (button?.dataset.forget !== undefined) forgetPreset(button.dataset.forget);
  if (button?.id === "save-preset") savePreset($("#preset-name").value.trim());
});
document.addEventListener("keydown", (event) => { if (event.target.id === "preset-name" && event.key === "Enter") { event.preventDefault(); savePreset(event.target.value.trim()); } });
document.addEventListener("arrived", showPresets);
document.addEventListener("drawn", markPresets);
