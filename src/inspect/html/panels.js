// What stands around the drawing: captions, inputs, one node, chapters, the table.
const html = (text) =>
  text.replace(/[&<>"']/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" })[c]);

// A symbol as MathML: w₁ is a w with an index.
const symbol = (text) => {
  const [, word, index] = text.match(/^(.*?)([₀-₉]*)$/s);
  const digits = [...index].map((c) => String.fromCharCode(c.charCodeAt(0) - 0x2080 + 48)).join("");
  return digits ? `<msub><mi>${html(word)}</mi><mn>${digits}</mn></msub>` : `<mi>${html(word)}</mi>`;
};
const math = (inner) => `<math>${inner}</math>`;
const fraction = (sign, above, below) =>
  `<mfrac><mrow><mi mathvariant="normal">${sign}</mi>${symbol(above)}</mrow><mrow><mi mathvariant="normal">${sign}</mi>${symbol(below)}</mrow></mfrac>`;
const output = data.seeds.length === 1 ? nodes[data.seeds[0][0]].s : "output";
const adjointOf = (node) => fraction("d", output, nodes[node].s);
const partialOf = (edge) => fraction("∂", nodes[edge.to].s, nodes[edge.from].s);
const factor = (x) => (x < 0 ? `(${shown(x)})` : shown(x));
// The partial as the table has it and, if that is something else, as a person writes it.
const formulaOf = (edge) => {
  const [rule, simple] = nodes[edge.to].p?.[edge.k] ?? ["", ""];
  return [rule, simple].filter(Boolean).map((formula) => ` <span>=</span> ${formula}`).join("");
};

// What a node computes with its numbers: 0.6 + 0.6.
const withNumbers = (node) => {
  const xs = operandsOf(node);
  if (xs.length > 4) return `${html(node.o)} of ${xs.length} operands`;
  const infix = { add: " + ", sub: " − ", mul: " · ", div: " / " }[node.o];
  return infix ? xs.map(factor).join(infix) : `${html(node.o)}(${xs.map((x) => shown(x)).join(", ")})`;
};

const captionOf = (step) => {
  const node = step.node === undefined ? null : nodes[step.node];
  if (step.kind === "start") {
    return `<p class="rule">The inputs have their values. Nothing is computed yet.</p>
      <p>Press <b>Play</b>, or step on with <kbd>→</kbd>: first forwards, then backwards.</p>`;
  }
  if (step.kind === "end") {
    const named = [];
    for (let i = 0; i < drawn && named.length < 6; i += 1) {
      if (nodes[i].isLeaf && nodes[i].n) named.push(`<span>${math(adjointOf(i))} = <b>${shown(adjoints[i] + 0)}</b></span>`);
    }
    return `<p class="rule results">${named.join("")}</p>
      <p>The sweep has passed: every node has its adjoint. Choose a node to see where it comes from, or
      <b>play</b> it all again.</p>`;
  }
  if (step.kind === "value") {
    return `<p class="rule">${math(symbol(node.s))} <span>=</span> ${node.f || html(node.t)}</p>
      <p class="numbers">= ${withNumbers(node)} = <b>${shown(values[step.node])}</b></p>
      <p>Forwards: the operation <i>${html(node.o)}</i> computes its value from its operands.</p>`;
  }
  if (step.kind === "seed") {
    return `<p class="rule">${math(adjointOf(step.node))} <span>=</span> <b>${shown(step.total)}</b></p>
      <p>Backwards: the sweep begins at the output. Its derivative with respect to itself is 1.</p>`;
  }
  const { edge, share, total } = step;
  const before = total - share;
  const others = nodes[edge.from].consumers.length > 1;
  const sum = others ? ` It has several consumers, whose shares add up: so far <b>${shown(total)}</b>.` : "";
  return `<p class="rule">${math(adjointOf(edge.from))} <span>${others ? "+=" : "="}</span>
    ${math(`${adjointOf(edge.to)}<mo>·</mo>${partialOf(edge)}`)}
    <span class="where">with ${math(partialOf(edge))}${formulaOf(edge)}</span></p>
    <p class="numbers">${shown(adjoints[edge.to])} · ${factor(partialAlong(edge))} = <b>${shown(share)}</b></p>
    <p>Backwards: ${html(nodes[edge.to].s)} sends its adjoint, times the partial on the edge, to
    <b>${html(nodes[edge.from].s)}</b>.${Number.isFinite(before) ? sum : ""}</p>`;
};

// A table of at most `most` rows, and how many are left out.
const table = (caption, heads, rows, most = 10) => {
  const cut = rows.length - most;
  const row = (cells) => `<tr>${cells.map((cell, i) => (i === 0 ? `<th scope="row">${cell}</th>` : `<td data-head="${heads[i]}">${cell}</td>`)).join("")}</tr>`;
  const rest = cut > 0 ? `<tr><td colspan="${heads.length}">… ${cut} more</td></tr>` : "";
  return `<div class="scroll"><table><caption>${caption}</caption><thead><tr>${heads.map((head) => `<th scope="col">${head}</th>`).join("")}</tr></thead>
    <tbody>${rows.slice(0, most).map(row).join("")}${rest}</tbody></table></div>`;
};

const link = (node) => `<button type="button" class="link" data-node="${node}">${math(symbol(nodes[node].s))}</button>`;

const PATHS = 12;
const pathsOf = (i) => {
  const { count, found } = pathsFrom(i, PATHS);
  if (count === 0) return "<p>No path leads from here to the output: the adjoint is 0.</p>";
  if (found.length === 1 && found[0].length === 0) return "<p>This is the output. Its adjoint is the seed of the sweep.</p>";
  const line = (path) => {
    const names = [i, ...path.map((edge) => edge.to)].map((node) => html(nodes[node].s));
    const product = path.reduce((product, edge) => product * partialAlong(edge), 1);
    const factors = [...path].reverse().map((edge) => factor(partialAlong(edge)));
    const cut = factors.length > 13 ? [...factors.slice(0, 6), "…", ...factors.slice(-5)] : factors;
    const way = names.length > 14 ? [...names.slice(0, 6), "…", ...names.slice(-6)] : names;
    return `<li><span class="way-of">${way.join(" → ")}</span><span class="numbers">${cut.join(" · ")} = <b>${shown(product)}</b></span></li>`;
  };
  const all = count > found.length ? `, of which ${found.length} are shown` : "";
  const sum = count > 1 ? `<p>The sum over all paths is the adjoint, <b>${shown(adjoints[i] + 0)}</b>.</p>` : "";
  const many = count === 1 ? "One path leads" : `${count > 1e15 ? shown(count) : count} paths lead`;
  return `<p>${many} to ${math(symbol(output))}${all}. Along each, the partials are multiplied:</p>
    <ol class="paths">${found.map(line).join("")}</ol>${sum}`;
};

const describeNode = (i) => {
  const node = nodes[i];
  const what = node.isLeaf ? html(groupOf(i) || "input") : `operation <i>${html(node.o)}</i>`;
  const formula = node.isLeaf ? "" : ` <span>=</span> ${node.f || html(node.t)}`;
  const adjoint = adjoints[i] + 0;
  const whole = node.w ? ` <span>=</span> ${node.w}` : "";
  const derived = node.d ? `<p class="rule derived">${math(adjointOf(i))} <span>=</span> ${node.d}<small>derived by the engine</small></p>` : "";
  let out = `<p class="rule">${math(symbol(node.s))}${formula}${whole}</p>${derived}
    <dl class="facts"><div><dt>kind</dt><dd>${what}</dd></div><div><dt>value</dt><dd>${shown(values[i], 8)}</dd></div>
    <div><dt>adjoint ${math(adjointOf(i))}</dt><dd class="back">${shown(adjoint, 8)}</dd></div></dl>`;
  if (node.edges.length > 0) {
    const rows = node.edges.map((edge) => [
      link(edge.from),
      `${math(partialOf(edge))}${formulaOf(edge)}`,
      shown(partialAlong(edge)),
      passes(edge) ? shown(shareOf(adjoints[i], edge) + 0) : "nothing: not taken",
    ]);
    out += table("What it is made from, and what it sends back", ["operand", "partial", "", "sends"], rows);
  }
  if (node.consumers.length > 0) {
    const rows = node.consumers.map((edge) => [
      link(edge.to),
      `${shown(adjoints[edge.to] + 0)} · ${factor(partialAlong(edge))}`,
      passes(edge) ? shown(shareOf(adjoints[edge.to], edge) + 0) : "0: not taken",
    ]);
    if (rows.length > 1) rows.push(["sum", "", `<b>${shown(adjoint)}</b>`]);
    out += table("What each consumer sent back", ["consumer", "its adjoint · partial", "share"], rows, 12);
  }
  return `${out}<h3>Paths to the output</h3>${pathsOf(i)}`;
};

const compared = (line) => {
  const engine = derivative(line.of, line.wrt);
  const hand = isConstant(line.hand) ? number(line.hand.c) : values[line.hand];
  return { engine, hand, difference: Math.abs(engine - hand) };
};

const describeChapter = (chapter, i) => {
  const rows = chapter.lines.map((line) => {
    const { engine, hand, difference } = compared(line);
    const same = difference <= 1e-12 * Math.max(1, Math.abs(engine), Math.abs(hand));
    return [
      `<button type="button" class="link show" data-of="${line.of}" data-wrt="${line.wrt}" title="Show it in the graph">${html(withIndices(line.what))}</button>`,
      line.engine,
      `<span class="number">${shown(engine, 9)}</span>`,
      line.formula,
      `<span class="number">${shown(hand, 9)}</span>`,
      `<span class="number">${difference === 0 ? "0" : difference.toExponential(1).replace("-", "−")}</span> <span class="verdict ${same ? "same" : "other"}">${same ? "✓ same" : "✗ differs"}</span>`,
    ];
  });
  const lines = rows.length === 0 ? "" : table("The engine beside the formula derived by hand", ["what", "the engine derives", "its value", "by hand", "its value", "difference"], rows, 99);
  return `<article class="chapter" data-chapter="${i}"><h3>${html(chapter.title)}</h3>
    ${chapter.text.map((paragraph) => `<p>${html(paragraph)}</p>`).join("")}${lines}</article>`;
};

// The table of all nodes: made once, and its numbers written again at each step.
const ROWS = 400;
const makeTable = () => {
  const row = (node, i) => `<tr data-row="${i}"><th scope="row">${link(i)}</th><td>${html(node.o)}</td>
    <td>${node.isLeaf ? "" : node.f || html(node.t)}</td><td class="number"></td><td class="number back"></td><td></td></tr>`;
  const cut = drawn > ROWS ? `<tr><td colspan="6">${drawn - ROWS} more nodes are left out here.</td></tr>` : "";
  $("nodes").innerHTML = `<thead><tr><th scope="col">node</th><th scope="col">operation</th><th scope="col">computes</th>
    <th scope="col">value</th><th scope="col">adjoint</th><th scope="col">partials</th></tr></thead>
    <tbody>${nodes.slice(0, Math.min(drawn, ROWS)).map(row).join("")}${cut}</tbody>`;
};

const updateTable = (hasValue, adjointAt) => {
  for (const row of $("nodes").querySelectorAll("[data-row]")) {
    const i = Number(row.dataset.row);
    const partial = (edge) => `${nodes[edge.from].s}: ${shown(partialAlong(edge))}`;
    const partials = nodes[i].edges.slice(0, 6).map(partial);
    if (nodes[i].edges.length > 6) partials.push("…");
    row.cells[3].textContent = hasValue(i) ? shown(values[i]) : "–";
    row.cells[4].textContent = adjointAt(i) === null ? "–" : shown(adjointAt(i));
    row.cells[5].textContent = hasValue(i) ? partials.join("; ") : "";
  }
};
