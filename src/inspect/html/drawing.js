// The drawing: nodes and edges where the engine laid them out, and a camera.
const $ = (id) => document.getElementById(id);
const stage = $("stage");
const svg = $("drawing");

const element = (tag, attributes, parent, text) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  if (parent) parent.append(made);
  return made;
};

const MARGIN = 34;
const camera = { x: 0, y: 0, k: 1 };
let view = null;
let scene = null;
let boxOfNode = new Map();
let boxOfGroup = new Map();
let wires = [];

const aim = () => {
  scene.setAttribute("transform", `translate(${camera.x} ${camera.y}) scale(${camera.k})`);
};

const narrow = () => stage.clientWidth < 700;

// All of it, or on a narrow screen as large as can be read.
const fit = (least = narrow() ? 0.8 : 0.35) => {
  const width = stage.clientWidth;
  const whole = width / (view.w + 2 * MARGIN);
  const k = Math.max(Math.min(whole, 1.15), least);
  const height = Math.min((view.h + 2 * MARGIN + 12) * k, 0.72 * window.innerHeight + 60);
  stage.style.height = `${Math.max(height, 220)}px`;
  camera.k = k;
  camera.x = Math.max((width - view.w * k) / 2, MARGIN * k);
  camera.y = Math.max((stage.clientHeight - view.h * k) / 2, (MARGIN + 6) * k);
  aim();
};

const zoom = (by, at = [stage.clientWidth / 2, stage.clientHeight / 2]) => {
  const k = Math.min(Math.max(camera.k * by, 0.1), 4);
  const real = k / camera.k;
  camera.x = at[0] - (at[0] - camera.x) * real;
  camera.y = at[1] - (at[1] - camera.y) * real;
  camera.k = k;
  aim();
};

// Moves what is not in sight into sight.
const bringIntoSight = (box) => {
  if (!box) return;
  const { clientWidth: width, clientHeight: height } = stage;
  const x = camera.x + (box.x + box.w / 2) * camera.k;
  const y = camera.y + (box.y + box.h / 2) * camera.k;
  const [left, top] = [(box.w / 2 + 24) * camera.k, (box.h / 2 + 16) * camera.k];
  if (x < left || x > width - left) camera.x += width / 2 - x;
  camera.y += Math.max(top - y, 0) || Math.min(height - top - y, 0);
  aim();
};

const boxFor = (node) => boxOfNode.get(node) || boxOfGroup.get(nodes[node].g);

const drawRegion = ([name, x, y, w, h]) => {
  element("rect", { class: "region", x, y, width: w, height: h, rx: 14 }, scene);
  element("text", { class: "region-name", x: x + 6, y: y - 6 }, scene, name);
};

const drawWire = ([from, to, edge, d, x, y]) => {
  const g = element("g", { class: "edge" }, scene);
  element("path", { d, class: "wire" }, g);
  const label = element("text", { class: "partial", x: x - 5, y: y - 4 }, g);
  const arrow = element("path", { class: "arrow", d: `M${x - 6} ${y - 3.4}L${x} ${y}L${x - 6} ${y + 3.4}` }, g);
  const many = edge !== null && nodes[edges[edge].to].edges.length > 4;
  return { g, label, arrow, from: view.boxes[from], to: view.boxes[to], edge, many };
};

const drawBox = (box) => {
  const isGroup = box.g !== undefined;
  const node = isGroup ? null : nodes[box.n];
  const kind = isGroup ? "group" : node.isLeaf ? "leaf" : "operation";
  const g = element("g", { class: `node ${kind}`, tabindex: 0, role: "button" }, scene);
  const radius = kind === "leaf" ? Math.min(box.h / 2, 22) : 8;
  if (isGroup) {
    element("rect", { class: "shadow", x: box.x + 4, y: box.y - 4, width: box.w, height: box.h, rx: 8 }, g);
  }
  element("rect", { class: "shape", x: box.x, y: box.y, width: box.w, height: box.h, rx: radius }, g);
  const x = box.x + box.w / 2;
  const y = box.y + box.h / 2;
  const title = isGroup ? data.groups[box.g].name : node.t;
  box.lines = [
    element("text", { class: "name", x }, g, title),
    element("text", { class: "value", x }, g),
    element("text", { class: "adjoint", x }, g),
  ];
  if (!isGroup) element("text", { class: "kind", x, y: box.y - 5 }, g, groupOf(box.n));
  g.addEventListener("click", () => {
    if (!dragged) choose(box);
  });
  g.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      event.stopPropagation();
      if (box.g === undefined) chooseNode(box.n);
      else choose(box);
    }
  });
  g.addEventListener("focus", () => {
    if (box.n !== undefined && g.matches(":focus-visible")) chooseNode(box.n);
    else bringIntoSight(box);
  });
  box.element = g;
  (isGroup ? boxOfGroup : boxOfNode).set(isGroup ? box.g : box.n, box);
};

// Writes what is known of a box, in the middle of it.
const write = (box, value, adjoint) => {
  const [name, valueLine, adjointLine] = box.lines;
  valueLine.textContent = value;
  adjointLine.textContent = adjoint;
  const lines = [name, value && valueLine, adjoint && adjointLine].filter(Boolean);
  lines.forEach((line, i) => {
    line.setAttribute("y", box.y + box.h / 2 + 4.5 + (i - (lines.length - 1) / 2) * 18.5);
  });
};

const showView = (index) => {
  view = data.views[index];
  $("view").value = String(index);
  svg.replaceChildren();
  boxOfNode = new Map();
  boxOfGroup = new Map();
  scene = element("g", {}, svg);
  view.regions.forEach(drawRegion);
  wires = view.wires.map(drawWire);
  view.boxes.forEach(drawBox);
  fit();
};

// On paper the whole drawing is as wide as the paper.
window.addEventListener("beforeprint", () => {
  svg.setAttribute("viewBox", [-MARGIN, -MARGIN - 6, view.w + 2 * MARGIN, view.h + 2 * MARGIN + 6].join(" "));
  scene.removeAttribute("transform");
});
window.addEventListener("afterprint", () => {
  svg.removeAttribute("viewBox");
  fit();
});

// Dragging moves the drawing, two fingers scale it.
let dragged = false;
const pointers = new Map();
stage.addEventListener("pointerdown", (event) => {
  pointers.set(event.pointerId, [event.clientX, event.clientY]);
  dragged = false;
});
window.addEventListener("pointermove", (event) => {
  const before = pointers.get(event.pointerId);
  if (!before) return;
  const now = [event.clientX, event.clientY];
  if (pointers.size === 2) {
    const [other] = [...pointers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
    const apart = (p) => Math.hypot(p[0] - other[0], p[1] - other[1]) + 1;
    const frame = stage.getBoundingClientRect();
    zoom(apart(now) / apart(before), [other[0] - frame.x, other[1] - frame.y]);
  } else if (dragged || Math.hypot(now[0] - before[0], now[1] - before[1]) > 4) {
    dragged = true;
    camera.x += now[0] - before[0];
    camera.y += now[1] - before[1];
    aim();
  } else {
    return;
  }
  pointers.set(event.pointerId, now);
});
for (const end of ["pointerup", "pointercancel"]) {
  window.addEventListener(end, (event) => pointers.delete(event.pointerId));
}
stage.addEventListener(
  "wheel",
  (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const frame = stage.getBoundingClientRect();
    zoom(2 ** (-event.deltaY / 300), [event.clientX - frame.x, event.clientY - frame.y]);
  },
  { passive: false },
);
