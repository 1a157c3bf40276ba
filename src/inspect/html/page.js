// The page: one state, and everything that follows from it.
const state = { step: 0, chosen: null, chapter: 0, playing: null, marked: new Set() };
const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

// What is known after a step: which values, and how much of each adjoint.
const knownAt = (at) => {
  const known = { values: new Set(), adjoints: new Map() };
  for (const step of steps.slice(0, at + 1)) {
    if (step.kind === "value") known.values.add(step.node);
    if (step.kind === "seed" || step.kind === "share") known.adjoints.set(step.node, step.total);
  }
  return known;
};

const drawState = () => {
  const step = steps[state.step];
  const known = knownAt(state.step);
  const atEnd = state.step === steps.length - 1;
  const hasValue = (i) => nodes[i].isLeaf || known.values.has(i);
  const adjointAt = (i) => (known.adjoints.has(i) ? known.adjoints.get(i) + 0 : atEnd ? 0 : null);
  const query = $("search").value.trim().toLowerCase();
  const matches = (i) => query && `${nodes[i].n || ""} ${nodes[i].s} ${nodes[i].o}`.toLowerCase().includes(query);
  for (const box of view.boxes) {
    const group = box.g === undefined ? null : data.groups[box.g];
    const node = group ? group.result : box.n;
    const value = node !== undefined && hasValue(node) ? shown(values[node], 4) : "";
    const adjoint = node === undefined ? null : adjointAt(node);
    const within = (i) => i !== undefined && (group ? nodes[i].g === box.g : i === box.n);
    const sender = step.edge ? step.edge.to : undefined;
    const size = group ? `${members[box.g].length} ${group.given ? "inputs" : "nodes"}` : "";
    write(box, group && (group.given || !value) ? size : value, adjoint === null ? "" : `∂ ${shown(adjoint, 4)}${state.step < complete.get(node) ? " + …" : ""}`);
    const list = box.element.classList;
    list.toggle("active", within(step.node));
    list.toggle("forward", step.kind === "value");
    list.toggle("sender", within(sender));
    list.toggle("chosen", within(state.chosen ?? undefined));
    list.toggle("marked", box.n !== undefined && state.marked.has(box.n));
    const found = group ? members[box.g].some(matches) : matches(box.n);
    list.toggle("found", Boolean(found));
    list.toggle("dim", Boolean(query) && !found);
    const name = group ? `group ${group.name}` : nodes[box.n].t;
    const said = [name, value && `value ${value}`, adjoint !== null && `adjoint ${shown(adjoint, 4)}`];
    box.element.setAttribute("aria-label", said.filter(Boolean).join(", "));
  }
  for (const wire of wires) {
    const edge = wire.edge === null ? null : edges[wire.edge];
    const isKnown = edge && hasValue(edge.to);
    wire.label.textContent = isKnown && !wire.many ? `×${shown(partialAlong(edge), 4)}` : "";
    const list = wire.g.classList;
    list.toggle("used", Boolean(isKnown));
    list.toggle("active", Boolean(edge) && (step.edge === edge || (step.kind === "value" && edge.to === step.node)));
    list.toggle("backward", step.kind === "share");
    list.toggle("marked", Boolean(edge) && state.marked.has(edge.from) && state.marked.has(edge.to));
  }
  updateTable(hasValue, adjointAt);
};

const showPanels = () => {
  const step = steps[state.step];
  const backward = firstBackward();
  $("caption").innerHTML = captionOf(step);
  $("caption").className = `caption ${step.kind}`;
  const slider = $("step");
  slider.max = String(steps.length - 1);
  slider.value = String(state.step);
  const going = state.step < backward ? `${state.step} of ${backward - 1} forwards` : `${state.step - backward + 1} of ${steps.length - backward} backwards`;
  slider.setAttribute("aria-valuetext", `step ${going}`);
  $("forwards").style.flexGrow = String(Math.max(backward - 0.5, 0));
  $("backwards").style.flexGrow = String(steps.length - backward - 0.5);
  $("forwards").classList.toggle("now", state.step < backward);
  $("backwards").classList.toggle("now", state.step >= backward);
  // At the end the node that the last chapter is about.
  const about = data.chapters.at(-1)?.lines[0]?.wrt ?? 0;
  const node = state.chosen ?? step.node ?? (about < drawn ? about : undefined);
  if (node !== undefined) $("node").innerHTML = describeNode(node);
};

const showChapter = () => {
  if (data.chapters.length === 0) return;
  $("chapters").hidden = false;
  $("chapter").innerHTML = data.chapters.map(describeChapter).join("");
  $("chapter").querySelectorAll(".chapter").forEach((article, i) => {
    article.classList.toggle("current", i === state.chapter);
  });
  $("contents").querySelectorAll("button").forEach((button, i) => {
    button.setAttribute("aria-pressed", String(i === state.chapter));
  });
  $("previous-chapter").disabled = state.chapter === 0;
  $("next-chapter").disabled = state.chapter === data.chapters.length - 1;
};

const render = () => {
  drawState();
  showPanels();
};

// What the step or the reader is at, in sight.
const follow = () => {
  const node = steps[state.step].node ?? state.chosen;
  if (node === null || node === undefined) return;
  if (!boxFor(node)) {
    showView(0);
    drawState();
  }
  bringIntoSight(boxFor(node));
};

const goTo = (step) => {
  state.step = Math.min(Math.max(step, 0), steps.length - 1);
  render();
  follow();
};

const pause = () => {
  clearInterval(state.playing);
  state.playing = null;
  $("play").classList.remove("on");
  $("play").querySelector("span").textContent = "Play";
};

const play = () => {
  if (state.playing) return pause();
  if (state.step === steps.length - 1) goTo(0);
  $("play").classList.add("on");
  $("play").querySelector("span").textContent = "Pause";
  const pace = Math.min(Math.max(40000 / steps.length, 60), 1100);
  state.playing = setInterval(() => {
    goTo(state.step + 1);
    if (state.step === steps.length - 1) pause();
  }, pace);
  return undefined;
};

const chooseNode = (node) => {
  state.chosen = node;
  if (node !== null && !boxOfNode.has(node)) openGroup(nodes[node].g);
  render();
  if (node !== null) bringIntoSight(boxFor(node));
};

// Of many nodes the first drawing is that of groups, then comes each from inside.
const openGroup = (group) => {
  showView(data.views[0].name === "groups" ? group + 1 : 0);
  render();
};

const choose = (box) => {
  if (box.g !== undefined) openGroup(box.g);
  else chooseNode(state.chosen === box.n ? null : box.n);
};

// Marks all that lies between two nodes.
const mark = (of, wrt) => {
  const up = new Set([wrt]);
  for (let i = wrt + 1; i <= of; i += 1) if (nodes[i].edges.some((edge) => up.has(edge.from))) up.add(i);
  const down = new Set([of]);
  for (let i = of; i >= wrt; i -= 1) if (down.has(i)) nodes[i].edges.forEach((edge) => down.add(edge.from));
  state.marked = new Set([...up].filter((i) => down.has(i)));
};

const changed = () => {
  const wasLast = state.step === steps.length - 1;
  recompute();
  state.step = wasLast ? steps.length - 1 : Math.min(state.step, steps.length - 1);
  render();
  showChapter();
};

const INPUTS = 24;
const makeInputs = () => {
  const leaves = [];
  for (let i = 0; i < drawn; i += 1) if (nodes[i].isLeaf) leaves.push(i);
  const field = (i) => {
    const node = nodes[i];
    const given = data.sliders.find(([index]) => index === i);
    const most = Math.max(4, Math.ceil(2 * Math.abs(node.value)));
    const [low, high] = given ? given.slice(1).map(number) : [-most, most];
    return `<div class="input"><label for="field-${i}">${math(symbol(node.s))}<small>${html(groupOf(i) || "input")}</small></label>
      <input type="range" data-input="${i}" min="${low}" max="${high}" step="${(high - low) / 200}" value="${node.value}" aria-label="${html(node.s)}">
      <input type="number" id="field-${i}" data-input="${i}" step="any" value="${node.value}"></div>`;
  };
  const cut = leaves.length > INPUTS ? `<p>${leaves.length - INPUTS} more inputs are left out here.</p>` : "";
  $("inputs").innerHTML = `<p>Everything is computed again as you move them: values, partials, adjoints, and the formulas derived by hand.</p>
    ${leaves.slice(0, INPUTS).map(field).join("")}${cut}<button type="button" id="reset">As they were</button>`;
  const first = leaves.map((i) => [i, nodes[i].value]);
  const set = (i, value) => {
    nodes[i].value = value;
    document.querySelectorAll(`[data-input="${i}"]`).forEach((other) => {
      if (other !== document.activeElement || Number(other.value) !== value) other.value = String(value);
    });
  };
  $("inputs").addEventListener("input", (event) => {
    const { input } = event.target.dataset;
    if (input === undefined || event.target.value === "" || !Number.isFinite(Number(event.target.value))) return;
    set(Number(input), Number(event.target.value));
    changed();
  });
  $("reset").addEventListener("click", () => {
    first.forEach(([i, value]) => set(i, value));
    changed();
  });
};

const THEMES = ["system", "light", "dark"];
const setTheme = (theme) => {
  document.documentElement.dataset.theme = theme;
  $("theme").textContent = `Colours: ${theme}`;
};

const neighbour = (forwards) => {
  const focused = view.boxes.find((box) => box.element === document.activeElement);
  const from = focused?.n ?? state.chosen;
  if (from === null || from === undefined) return;
  const edge = forwards ? nodes[from].consumers[0] : nodes[from].edges[0];
  if (!edge) return;
  chooseNode(forwards ? edge.to : edge.from);
  boxFor(state.chosen)?.element.focus();
};

const KEYS = {
  ArrowRight: () => goTo(state.step + 1),
  ArrowLeft: () => goTo(state.step - 1),
  Home: () => goTo(0),
  End: () => goTo(steps.length - 1),
  " ": () => play(),
  "+": () => zoom(1.25),
  "=": () => zoom(1.25),
  "-": () => zoom(0.8),
  0: () => fit(0.08),
  "/": () => $("search").focus(),
  "[": () => neighbour(false),
  "]": () => neighbour(true),
  Escape: () => {
    state.marked.clear();
    chooseNode(null);
  },
};

document.addEventListener("keydown", (event) => {
  const { target, key } = event;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (target.matches("input, select, textarea") && key !== "Escape") return;
  if (key === " " && target.matches("button, summary, a")) return;
  if (target.closest(".scroll") && key.startsWith("Arrow")) return;
  if (!(key in KEYS)) return;
  event.preventDefault();
  if (key !== " " && !["+", "=", "-", "0"].includes(key)) pause();
  KEYS[key]();
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.node !== undefined) chooseNode(Number(button.dataset.node));
  if (button.dataset.of !== undefined) {
    mark(Number(button.dataset.of), Number(button.dataset.wrt));
    chooseNode(Number(button.dataset.wrt) < drawn ? Number(button.dataset.wrt) : null);
    stage.scrollIntoView({ behavior: calm.matches ? "auto" : "smooth", block: "center" });
  }
  if (button.dataset.turn !== undefined) {
    state.chapter = Number(button.dataset.turn);
    showChapter();
  }
});

const on = (id, event, act) => $(id).addEventListener(event, act);
const turn = (by) => {
  state.chapter = Math.min(Math.max(state.chapter + by, 0), data.chapters.length - 1);
  showChapter();
};
on("first", "click", () => { pause(); goTo(0); });
on("back", "click", () => { pause(); goTo(state.step - 1); });
on("play", "click", play);
on("next", "click", () => { pause(); goTo(state.step + 1); });
on("last", "click", () => { pause(); goTo(steps.length - 1); });
on("step", "input", () => { pause(); goTo(Number($("step").value)); });
on("in", "click", () => zoom(1.25));
on("out", "click", () => zoom(0.8));
on("fit", "click", () => fit(0.08));
on("view", "change", () => { showView(Number($("view").value)); render(); });
on("search", "input", render);
on("search", "keydown", (event) => {
  if (event.key === "Escape") { $("search").value = ""; render(); $("search").blur(); }
  if (event.key !== "Enter" || $("search").value.trim() === "") return;
  const query = $("search").value.trim().toLowerCase();
  const all = [...nodes.keys()].slice(0, drawn).filter((i) => `${nodes[i].n || ""} ${nodes[i].s} ${nodes[i].o}`.toLowerCase().includes(query));
  const next = all.find((i) => state.chosen === null || i > state.chosen) ?? all[0];
  if (next !== undefined) chooseNode(next);
});
on("theme", "click", () => setTheme(THEMES[(THEMES.indexOf(document.documentElement.dataset.theme) + 1) % 3]));
on("previous-chapter", "click", () => turn(-1));
on("next-chapter", "click", () => turn(1));
let fitted = 0;
window.addEventListener("resize", () => {
  if (stage.clientWidth === fitted) return;
  fitted = stage.clientWidth;
  fit();
  follow();
});
window.addEventListener("beforeprint", () => { $("table").open = true; });

$("view").innerHTML = data.views.map((other, i) => `<option value="${i}">${html(other.name)}</option>`).join("");
$("contents").innerHTML = data.chapters.map((chapter, i) => `<button type="button" data-turn="${i}">${html(chapter.title)}</button>`).join("");
setTheme("system");
recompute();
makeInputs();
makeTable();
showView(0);
if (data.left_out > 0) {
  $("left-out").textContent = `The tape is long: its first ${data.left_out} nodes are left out, and what comes from them stands as an input.`;
}
// A place in the page can be linked to: #step=12&node=9&theme=dark&chapter=2
const wanted = new URLSearchParams(location.hash.slice(1));
if (THEMES.includes(wanted.get("theme"))) setTheme(wanted.get("theme"));
if (wanted.has("node")) state.chosen = Number(wanted.get("node"));
if (wanted.has("chapter")) state.chapter = Number(wanted.get("chapter"));
fitted = stage.clientWidth;
goTo(wanted.has("step") ? Number(wanted.get("step")) : steps.length - 1);
showChapter();
// For tests: the numbers of the page.
window.chainrule = { data, state, values, numbers: () => ({ values: [...values], adjoints: [...adjoints].map((x) => x + 0) }), compared, steps: () => steps, goTo, recompute };
