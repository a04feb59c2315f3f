// The model's card and equations, which are asked for when they are opened, and its mapping, which can be edited, checked and downloaded.
"use strict";

/** What the server says of the model: its card as a piece of the page, its mapping, the file's variables. */
async function askCard() {
  const world = $("#about").dataset.world;
  try {
    return await (await fetch("/model?" + new URLSearchParams({ world }))).json();
  } catch {
    return { error: SILENT };
  }
}

/** Fill in what was opened, once. */
async function fill(details) {
  if (details.dataset.filled) return;
  details.dataset.filled = "1";
  const answer = await askCard();
  if (!details.isConnected) return;
  if (details.id === "model") {
    if (answer.error) $("#card").textContent = answer.error; else $("#card").innerHTML = answer.card;
    return;
  }
  if (answer.error) { $("#mapping-error").textContent = answer.error; return; }
  const text = $("#mapping-text");
  text.value = text.defaultValue = answer.mapping;
  $("#variables").replaceChildren(...answer.variables.map(([name, meaning, line]) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name;
    button.title = meaning;
    button.dataset.line = line;
    return button;
  }));
}

/** Write the line that observes a variable above the one where the cursor is among the observables, else as the first of them. */
function observe(line) {
  const text = $("#mapping-text"), head = text.value.match(/^observables:[^\S\n]*\n/m);
  let start = text.value.lastIndexOf("\n", text.selectionStart - 1) + 1;
  if (head) {
    const first = head.index + head[0].length, length = text.value.slice(first).search(/^[^\s#]/m);
    const end = length < 0 ? text.value.length : first + length;
    if (start < first || start >= end) start = first;
  }
  text.focus();
  text.setRangeText(`${line}\n`, start, start, "end");
}

/** Have the reader of mappings check what is written; what passes is shown. */
async function applyMapping(form) {
  const button = form.querySelector("button"), error = $("#mapping-error"), body = new FormData();
  body.append("world", $("#about").dataset.world);
  body.append("mapping", new Blob([$("#mapping-text").value], { type: "text/yaml" }), "mapping");
  button.disabled = true;
  error.textContent = "";
  let answer;
  try {
    answer = await (await fetch("/mapping", { method: "POST", body })).json();
  } catch {
    answer = { error: "The mapping could not be sent. It may be too large, or the explorer is no longer running." };
  }
  button.disabled = false;
  if (answer.error) { error.textContent = answer.error; return point(answer.error); }
  await visit(translated(answer));
  $("#mapping-of").open = true;
}

/** Move the cursor to the line that a message names, by its number or by what stands there, such as `x.world.yaml (output)` and `x.world.yaml: observables.output`. */
function point(message) {
  const text = $("#mapping-text"), lines = text.value.split("\n"), name = message.match(/\.yaml(?: \(|: \w+[.:] ?)([A-Za-z]\w*)/)?.[1];
  const line = Number(message.match(/\.yaml:(\d+)/)?.[1]) || lines.findIndex((one) => name && one.trimStart().startsWith(`${name}:`)) + 1;
  if (!line) return;
  const start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
  text.focus();
  text.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
}

/** What is shown, as far as the world of the new mapping has it. */
function translated(answer) {
  const known = { shock: answer.shocks, show: answer.observables, with: answer.worlds };
  const stays = ([name, value]) => {
    if (name.startsWith("p.")) return answer.parameters.includes(name.slice(2));
    if (name !== "show" && OF_A_WORLD.test(name)) return false;
    if (name === "pin") return answer.worlds.includes(new URLSearchParams(value).get("world"));
    return !(name in known) || known[name].includes(value);
  };
  const next = new URLSearchParams([...state].filter(stays));
  next.set("world", answer.world);
  return next;
}

/** Hand the text to the reader as a file. */
function downloadMapping(name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([$("#mapping-text").value], { type: "text/yaml" }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

document.addEventListener("toggle", (event) => { if (["model", "mapping-of"].includes(event.target.id) && event.target.open) fill(event.target); }, true);
document.addEventListener("submit", (event) => { if (event.target.id === "edit-mapping") { event.preventDefault(); applyMapping(event.target); } });
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("button");
  if (button?.dataset.line) observe(button.dataset.line);
  if (button?.id === "download-mapping") downloadMapping(button.dataset.file);
  if (button?.id === "revert-mapping") { $("#mapping-text").value = $("#mapping-text").defaultValue; $("#mapping-error").textContent = ""; }
});
