// The tape in the page: evaluated forwards, swept backwards, cut into steps.
const data = JSON.parse(document.getElementById("data").textContent);
const { nodes, drawn } = data;
const number = (x) => (typeof x === "string" ? Number(x) : x);
const isConstant = (operand) => typeof operand === "object";
const absent = (x) => Object.is(x, -0);

for (const node of nodes) {
  node.value = number(node.v);
  node.own = (node.k || []).map(number);
  node.isLeaf = node.o === "input";
  node.consumers = [];
}
const members = data.groups.map(() => []);
for (let i = 0; i < drawn; i += 1) members[nodes[i].g].push(i);

// An edge for each operand that is a node, in the order in which they are drawn.
const edges = [];
for (let to = 0; to < nodes.length; to += 1) {
  nodes[to].edges = [];
  nodes[to].a.forEach((operand, position) => {
    if (isConstant(operand)) return;
    const edge = { from: operand, to, position, k: nodes[to].edges.length };
    nodes[to].edges.push(edge);
    if (to < drawn) {
      edge.index = edges.length;
      edges.push(edge);
      nodes[operand].consumers.push(edge);
    }
  });
}

const values = new Float64Array(nodes.length);
let partials = [];
let adjoints = [];
let steps = [];
// The step at which each node's adjoint is complete.
let complete = new Map();

const operandsOf = (node) =>
  node.a.map((operand) => (isConstant(operand) ? number(operand.c) : values[operand]));

// Runs the program that the engine made of a rule of its table.
const runRule = (rule, xs, y) => {
  const local = [...xs, y];
  const get = (ref) => (isConstant(ref) ? number(ref.c) : local[ref]);
  for (const [op, refs, own] of rule.code) {
    local.push(VALUES[op](refs.map(get), (own || []).map(number)));
  }
  return rule.out.map(get);
};

// The partial with respect to each operand. Outside its domain an operation is NaN,
// and so are they.
const partialsOf = (i) => {
  const node = nodes[i];
  if (node.isLeaf) return [];
  if (!partials[i]) {
    const rule = data.rules[node.r];
    const outside = rule.domain && Number.isNaN(values[i]);
    const found = runRule(rule, operandsOf(node), values[i]);
    partials[i] = outside ? found.map(() => NaN) : found;
  }
  return partials[i];
};

const partialAlong = (edge) => partialsOf(edge.to)[edge.position];

// Whether an adjoint passes: not to an operand that a branch did not take.
const passes = (edge) => !(data.rules[nodes[edge.to].r].branch && partialAlong(edge) === 0);

const shareOf = (adjoint, edge) => {
  const share = adjoint * partialAlong(edge);
  return absent(share) ? 0 : share;
};

const evaluate = () => {
  partials = [];
  nodes.forEach((node, i) => {
    values[i] = node.isLeaf ? node.value : VALUES[node.o](operandsOf(node), node.own);
  });
};

// The reverse sweep: every adjoint is sent back along each edge, times the partial.
const sweep = (seeds, each = () => {}) => {
  const result = new Float64Array(nodes.length).fill(-0);
  for (const [output, weight] of seeds) result[output] += number(weight);
  for (let i = nodes.length - 1; i >= 0; i -= 1) {
    if (absent(result[i])) continue;
    for (const edge of nodes[i].edges) {
      if (!passes(edge)) continue;
      const share = shareOf(result[i], edge);
      result[edge.from] += share;
      each(edge, share, result[edge.from]);
    }
  }
  return result;
};

const derivative = (of, wrt) => sweep([[of, 1]])[wrt] + 0;

// Everything anew, from the present values of the inputs.
const recompute = () => {
  evaluate();
  steps = [{ kind: "start" }];
  for (let i = 0; i < drawn; i += 1) if (!nodes[i].isLeaf) steps.push({ kind: "value", node: i });
  for (const [output, weight] of data.seeds) {
    steps.push({ kind: "seed", node: output, total: number(weight) });
  }
  adjoints = sweep(data.seeds, (edge, share, total) => {
    steps.push({ kind: "share", node: edge.from, edge, share, total });
  });
  steps.push({ kind: "end" });
  complete = new Map(steps.map((step, at) => [step.node, at]));
};

const firstBackward = () => steps.findIndex((step) => step.kind === "seed");

// The number of paths from a node to the outputs, and the first of them.
const pathsFrom = (start, most) => {
  const counts = new Array(drawn).fill(0);
  for (const [output] of data.seeds) counts[output] = 1;
  for (let i = drawn - 1; i >= 0; i -= 1) {
    for (const edge of nodes[i].consumers) counts[i] += counts[edge.to];
  }
  const outputs = new Set(data.seeds.map(([output]) => output));
  const found = [];
  const waiting = [[start, []]];
  while (waiting.length > 0 && found.length < most) {
    const [node, path] = waiting.pop();
    if (outputs.has(node)) found.push(path);
    for (const edge of [...nodes[node].consumers].reverse()) {
      if (counts[edge.to] > 0) waiting.push([edge.to, [...path, edge]]);
    }
  }
  return { count: counts[start], found };
};

// w₁ for w1 within a text, and the singular of a group's name.
const withIndices = (text) =>
  text.replace(/([A-Za-z])(\d+)/g, (_, word, index) => word + index.replace(/\d/g, (c) => String.fromCharCode(0x2080 + Number(c))));
const groupOf = (i) => {
  const group = data.groups[nodes[i].g];
  return group.given ? group.name.replace(/s$/, "") : "";
};

// At most five significant digits, with a true minus sign.
const shown = (x, digits = 5) => {
  if (!Number.isFinite(x)) return String(x).replace("-", "−").replace("Infinity", "∞");
  const size = Math.abs(x);
  let text = x.toPrecision(digits);
  if (size !== 0 && (size < 1e-5 || size >= 1e6)) {
    const [mantissa, exponent] = x.toExponential(digits - 1).split("e");
    text = `${mantissa.replace(/\.?0+$/, "")}e${exponent.replace("+", "")}`;
  } else if (text.includes(".")) {
    text = text.replace(/\.?0+$/, "");
  } else if (text.includes("e")) {
    text = String(Number(text));
  }
  return (text === "-0" ? "0" : text).replaceAll("-", "−");
};
