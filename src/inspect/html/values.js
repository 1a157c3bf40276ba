// The values of the table's operations, by name. There is no derivative here, nor
// anywhere in the page: partials arrive as programs made of these operations, which
// the engine read from its one table.
const softplus = (x) => (x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x)));

const erf = (x) => {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n += 1) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
};

const logAddExp = (a, b) =>
  a === b ? a + Math.LN2 : Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)));

const logSumExp = (xs) => {
  const most = Math.max(...xs);
  if (!Number.isFinite(most)) return most;
  return most + Math.log(xs.reduce((sum, x) => sum + Math.exp(x - most), 0));
};

const VALUES = {
  neg: (x) => -x,
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  recip: (x) => 1 / x,
  square: (x) => x * x,
  one_minus_square: (x) => (1 - x) * (1 + x),
  sqrt: Math.sqrt,
  cbrt: Math.cbrt,
  exp: Math.exp,
  exp_m1: Math.expm1,
  exp2: (x) => 2 ** x,
  ln: Math.log,
  ln_1p: Math.log1p,
  log2: Math.log2,
  log10: Math.log10,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  asin: Math.asin,
  acos: Math.acos,
  atan: Math.atan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  tanh: Math.tanh,
  sech: (x) => (2 * Math.exp(-Math.abs(x))) / (1 + Math.exp(-2 * Math.abs(x))),
  asinh: Math.asinh,
  acosh: Math.acosh,
  atanh: Math.atanh,
  abs: Math.abs,
  relu: (x) => Math.max(x, 0),
  sigmoid: (x) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x))),
  logit: (p) =>
    p > 0.25 && p < 0.75 ? 2 * Math.atanh(2 * p - 1) : Math.log(p) - Math.log1p(-p),
  softplus,
  log_sigmoid: (x) => -softplus(-x),
  erf,
  pow: (a, b) => (a === 1 ? 1 : a ** b),
  atan2: Math.atan2,
  hypot: (a, b) => Math.hypot(a, b),
  min: (a, b) => Math.min(a, b),
  max: (a, b) => Math.max(a, b),
  compare: (a, b) => (a < b ? -1 : a > b ? 1 : a === b ? 0 : NaN),
  log_add_exp: logAddExp,
  x_ln_y: (x, y) => (x === 0 && y >= 0 ? 0 : x * Math.log(y)),
  contribution: (a, p) => (Object.is(a, -0) ? a : a * p + 0),
  gate: (x, p) => (p === 0 ? -0 : x),
};

// Operations on any number of operands, and constants of their own.
const VALUES_OF_MANY = {
  sum: (xs) => xs.reduce((sum, x) => sum + x, -0),
  product: (xs) => xs.reduce((product, x) => product * x, 1),
  dot: (xs) => {
    const [odd, half] = [xs.length % 2, Math.floor(xs.length / 2)];
    let sum = odd ? xs[0] : -0;
    for (let i = odd; i < odd + half; i += 1) sum += xs[i] * xs[i + half];
    return sum;
  },
  linear_combination: (xs, own) =>
    xs.reduce((sum, x, i) => sum + own[i] * x, own[xs.length]),
  log_sum_exp: logSumExp,
  select_lt: ([a, b, then, otherwise]) => (a < b ? then : otherwise),
  select_le: ([a, b, then, otherwise]) => (a <= b ? then : otherwise),
  select_eq: ([a, b, then, otherwise]) => (a === b ? then : otherwise),
};

const valueOf = (op, xs, own) =>
  op in VALUES ? VALUES[op](...xs) : VALUES_OF_MANY[op](xs, own);
