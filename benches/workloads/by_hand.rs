//! W1 to W5 by hand: value and gradient in plain loops with `std` mathematics.
//! Each writes the gradient and returns the value. Plain slices only, so that
//! `peers` can build this file for the processor it runs on.

/// W1, W1L: mean of −(y ln a + (1−y) ln(1−a)) with a = 1/(1+e^{−z}) and
/// z = w·x + b; the parameters are w and then b.
pub fn logistic(x: &[f64], y: &[f64], parameters: &[f64], gradient: &mut [f64]) -> f64 {
    gradient.fill(0.0);
    let (w, b) = parameters.split_at(parameters.len() - 1);
    let mut total = 0.0;
    for (x, y) in x.chunks_exact(w.len()).zip(y) {
        let z = w.iter().zip(x).fold(b[0], |z, (w, x)| z + w * x);
        let a = 1.0 / (1.0 + (-z).exp());
        total -= y * a.ln() + (1.0 - y) * (1.0 - a).ln();
        let difference = a - y;
        for (slot, x) in gradient.iter_mut().zip(x) {
            *slot += difference * x;
        }
        gradient[w.len()] += difference;
    }
    let rows = y.len() as f64;
    gradient.iter_mut().for_each(|g| *g /= rows);
    total / rows
}

/// W2: one row of two features.
pub fn logistic_row(x: &[f64; 2], y: f64, p: &[f64; 3], gradient: &mut [f64]) -> f64 {
    let z = p[0] * x[0] + p[1] * x[1] + p[2];
    let a = 1.0 / (1.0 + (-z).exp());
    gradient.copy_from_slice(&[(a - y) * x[0], (a - y) * x[1], a - y]);
    -(y * a.ln() + (1.0 - y) * (1.0 - a).ln())
}

/// W3: each cycle is t·=x, t+=x, t=sin t, t=e^{−t·t}, t/=x, t=ln(1+t·t), acc+=t.
/// Forward, keeping in `kept` what the way back needs; then back.
pub fn chain(x: &[f64], kept: &mut [[f64; 5]], gradient: &mut [f64]) -> f64 {
    let (mut t, mut sum) = (x[0], x[1]);
    for (i, kept) in kept.iter_mut().enumerate() {
        let x = x[i % x.len()];
        let before = t;
        let angle = t * x + x;
        let s = angle.sin();
        let e = (-(s * s)).exp();
        let q = e / x;
        t = (1.0 + q * q).ln();
        sum += t;
        *kept = [before, angle, s, e, q];
    }
    gradient.fill(0.0);
    let mut dt = 0.0;
    for (i, &[before, angle, s, e, q]) in kept.iter().enumerate().rev() {
        let at = i % x.len();
        let dq = (dt + 1.0) * 2.0 * q / (1.0 + q * q);
        let de = dq / x[at];
        let ds = de * e * -2.0 * s;
        let dangle = ds * angle.cos();
        gradient[at] += dangle * (before + 1.0) - dq * q / x[at];
        dt = dangle * x[at];
    }
    gradient[0] += dt;
    gradient[1] += 1.0;
    sum
}

/// W4: Σ 100(x_{i+1}−x_i²)² + (1−x_i)². What a term gives to the next component waits in
/// a register: added to memory and read again, it takes four times as long.
pub fn rosenbrock(x: &[f64], gradient: &mut [f64]) -> f64 {
    let (mut sum, mut from_term_before) = (0.0, 0.0);
    for (pair, component) in x.windows(2).zip(&mut *gradient) {
        let (u, v) = (pair[1] - pair[0] * pair[0], 1.0 - pair[0]);
        sum += 100.0 * (u * u) + v * v;
        *component = from_term_before - 400.0 * u * pair[0] - 2.0 * v;
        from_term_before = 200.0 * u;
    }
    if let Some(last) = gradient.last_mut() {
        *last = from_term_before;
    }
    sum
}

/// How wide the layers of W5 are.
pub const H: usize = 16;
/// Where each layer's weights and biases start among the parameters.
pub const W1: usize = 0;
pub const B1: usize = W1 + 2 * H;
pub const W2: usize = B1 + H;
pub const B2: usize = W2 + H * H;
pub const W3: usize = B2 + H;
pub const B3: usize = W3 + H;
pub const PARAMETERS: usize = B3 + 1;

/// W5: a network 2-16-16-1 with tanh, mean squared error. A sample is its two
/// inputs and its target.
pub fn network(p: &[f64], samples: &[[f64; 3]], gradient: &mut [f64]) -> f64 {
    gradient.fill(0.0);
    let mut total = 0.0;
    for &[x0, x1, target] in samples {
        let first: [f64; H] = std::array::from_fn(|i| {
            (p[B1 + i] + p[W1 + 2 * i] * x0 + p[W1 + 2 * i + 1] * x1).tanh()
        });
        let sum = |weights: &[f64], bias: f64, of: &[f64; H]| {
            weights.iter().zip(of).fold(bias, |sum, (w, h)| sum + w * h)
        };
        let second: [f64; H] = std::array::from_fn(|i| {
            sum(&p[W2 + i * H..W2 + (i + 1) * H], p[B2 + i], &first).tanh()
        });
        let error = sum(&p[W3..B3], p[B3], &second) - target;
        total += error * error;

        let back = 2.0 * error / samples.len() as f64;
        gradient[B3] += back;
        let mut first_back = [0.0; H];
        for i in 0..H {
            gradient[W3 + i] += back * second[i];
            let inner = back * p[W3 + i] * (1.0 - second[i] * second[i]);
            gradient[B2 + i] += inner;
            for j in 0..H {
                gradient[W2 + i * H + j] += inner * first[j];
                first_back[j] += inner * p[W2 + i * H + j];
            }
        }
        for i in 0..H {
            let inner = first_back[i] * (1.0 - first[i] * first[i]);
            gradient[B1 + i] += inner;
            gradient[W1 + 2 * i] += inner * x0;
            gradient[W1 + 2 * i + 1] += inner * x1;
        }
    }
    total / samples.len() as f64
}
