// What values of the table's operations are made of where a row has no room for it; the
// list `VALUES` follows, made from the rows. There is no derivative here, nor anywhere in
// the page: partials arrive as programs made of these operations, which the engine read
// from its one table.
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

// A list of factors, perhaps after a number that products are added to.
const dot = (xs) => {
  const [start, half] = [xs.length % 2, Math.floor(xs.length / 2)];
  let sum = start ? xs[0] : -0;
  for (let i = start; i < start + half; i += 1) sum += xs[i] * xs[i + half];
  return sum;
};
