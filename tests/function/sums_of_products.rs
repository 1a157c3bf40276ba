//! Does a sum of the two nodes before it, which the sweeps take together with the
//! product among them, come to and send what it does with another node in between? Bit
//! for bit, by every number type.

use chainrule::{Tape, Var};

/// Values of w, x and a constant where shares are −0, 0·∞ or cancel.
const VALUES: [[f64; 3]; 8] = [
    [0.5, -1.25, 3.0],
    [0.1, 0.3, 1.0],
    [-0.0, 0.0, -0.0],
    [1e308, -1e308, 10.0],
    [f64::INFINITY, 0.0, -1.0],
    [0.0, f64::INFINITY, f64::NAN],
    [1e-320, -1e-320, -0.0],
    [-3.0, 1.0, 1.0],
];

type Product = for<'t> fn(z: Var<'t>, w: Var<'t>, c: f64) -> Var<'t>;

/// What is added to z, the node before it; the last two are no products.
const TERMS: [(&str, Product); 10] = [
    ("w·c", |_, w, c| w * c),
    ("c·w", |_, w, c| c * w),
    ("z·c", |z, _, c| z * c),
    ("c·z", |z, _, c| c * z),
    ("w·z", |z, w, _| w * z),
    ("z·w", |z, w, _| z * w),
    ("z·z", |z, _, _| z * z),
    ("w·w", |_, w, _| w * w),
    ("w/c", |_, w, c| w / c),
    ("sin z", |z, _, _| z.sin()),
];

/// z + term, with a node in between if they are to be `apart`.
fn add<'t>(z: Var<'t>, term: Product, w: Var<'t>, c: f64, apart: bool) -> [Var<'t>; 2] {
    let term = term(z, w, c);
    if apart {
        term.tape().expect("a node").var(0.0);
    }
    [term, z + term]
}

/// Every number that the two ways can be told apart by.
fn numbers([w, x, c]: [f64; 3], terms: [Product; 2], apart: bool) -> Vec<u64> {
    let tape = Tape::new();
    let (w, x) = (tape.var(w), tape.var(x));
    let [first, z] = add(x, terms[0], w, c, apart);
    let [second, sum] = add(z, terms[1], w, c, apart);
    let y = sum * z + first.sin() * second;
    let all = [w, x, first, z, second, sum];
    let mut numbers = vec![y.value()];
    for output in [y, sum, second, z] {
        numbers.extend(output.backward().wrt_all(&all));
    }
    let before = tape.len();
    numbers.extend(y.gradient_graph(&all).iter().map(|x| x.value()));
    numbers.push((tape.len() - before) as f64);
    for direction in [[1.0, -2.0], [0.0, 1.0]] {
        let (gradient, product) = y.hvp(&[w, x], &direction);
        numbers.extend(gradient);
        numbers.extend(product);
    }
    tape.set(w, 0.75);
    tape.forward();
    numbers.extend(all.map(Var::value));
    numbers.push(y.value());
    numbers.extend(y.backward().wrt_all(&all));
    // Which of two NaNs a sum is, a compiler may choose.
    let canonical = |x: f64| if x.is_nan() { f64::NAN } else { x };
    numbers
        .into_iter()
        .map(|x| canonical(x).to_bits())
        .collect()
}

#[test]
fn a_sum_and_the_product_before_it_send_what_they_send_apart() {
    for values in VALUES {
        for (one, first) in TERMS {
            for (other, second) in TERMS {
                let terms = [first, second];
                let (together, apart) =
                    (numbers(values, terms, false), numbers(values, terms, true));
                assert_eq!(
                    together, apart,
                    "{values:?}: x + {one}, and so again with {other}"
                );
            }
        }
    }
}

#[test]
fn the_sum_may_be_the_third_node_of_all() {
    let tape = Tape::new();
    let x = tape.var(2.0);
    let y = x + x * 3.0;
    assert_eq!(y.backward().wrt(x), 4.0);
    let tape = Tape::new();
    let x = tape.var(2.0);
    let y = x + x * x;
    assert_eq!(y.backward().wrt(x), 5.0);
}
