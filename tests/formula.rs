//! Does a formula print as a person writes it, and does simplification turn the
//! engine's gradients into what a textbook prints?

use chainrule::{Formula, Tape, Var};

/// The article's graph, with data and parameters as named inputs.
struct Article<'t> {
    x: [Var<'t>; 2],
    w: [Var<'t>; 2],
    b: Var<'t>,
    z: Var<'t>,
    a: Var<'t>,
    loss: Var<'t>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Spelling {
    Sigmoid,
    SpelledOut,
    SpelledOutWithG,
}

const SPELLINGS: [Spelling; 3] = [
    Spelling::Sigmoid,
    Spelling::SpelledOut,
    Spelling::SpelledOutWithG,
];

fn article(tape: &Tape, spelling: Spelling) -> Article<'_> {
    let input = |name, value| tape.var(value).named(name);
    let x = [input("x1", 1.5), input("x2", -2.0)];
    let y = input("y", 1.0);
    let w = [input("w1", 0.4), input("w2", -0.3)];
    let b = input("b", 0.1);
    let z = (w[0] * x[0] + w[1] * x[1] + b).named("z");
    let spelled_out = || 1.0 + (-z).exp();
    let a = match spelling {
        Spelling::Sigmoid => z.sigmoid(),
        Spelling::SpelledOut => 1.0 / spelled_out(),
        Spelling::SpelledOutWithG => spelled_out().named("g").recip(),
    }
    .named("a");
    let loss = -(y * a.ln() + (1.0 - y) * (1.0 - a).ln());
    Article {
        x,
        w,
        b,
        z,
        a,
        loss,
    }
}

fn derivative(of: Var<'_>, wrt: Var<'_>) -> Formula {
    of.gradient_formulas(&[wrt])[0].simplify()
}

#[track_caller]
fn same(formula: &Formula, expected: &str) {
    assert_eq!(formula.to_string(), expected);
}

#[test]
fn the_article_is_derived_from_each_spelling_of_its_graph() {
    for spelling in SPELLINGS {
        let tape = Tape::new();
        let Article {
            x,
            w,
            b,
            z,
            a,
            loss,
        } = article(&tape, spelling);
        println!("{spelling:?}");
        same(&derivative(loss, a), "(1 − y)/(1 − a) − y/a");
        same(&derivative(a, z), "a·(1 − a)");
        same(&derivative(loss, z), "a − y");
        same(&derivative(z, w[0]), "x1");
        same(&derivative(z, w[1]), "x2");
        same(&derivative(z, b), "1");
        same(&derivative(z, x[1]), "w2");
        same(&derivative(loss, w[0]), "(a − y)·x1");
        same(&derivative(loss, w[1]), "(a − y)·x2");
        same(&derivative(loss, b), "a − y");
    }
}

#[test]
fn textbook_gradients_come_out_as_textbooks_print_them() {
    let tape = Tape::new();
    let input = |name: &str, value| tape.var(value).named(name);
    let (y, z) = (input("y", 1.0), input("z", 0.3));
    let loss = z.softplus() - y * z;
    same(&derivative(loss, z), "σ(z) − y");

    let (x, n) = (input("x", 1.7), input("n", 3.0));
    same(&derivative(x.pow(n), x), "n·x^(n − 1)");
    same(&derivative(x.pow(n), n), "x^n·ln(x)");
    same(&derivative(x.powi(3), x), "3·x²");
    same(&derivative(x.powi(2), x), "2·x");
    same(&derivative(x.powf(2.5), x), "2.5·x^1.5");
    same(&derivative(x.sqrt(), x), "1/(2·√x)");
    same(&derivative(x.recip(), x), "−1/x²");
    same(&derivative(x / z, z), "−x/z²");
    same(&derivative(x.sin() * x, x), "sin(x) + cos(x)·x");
    same(&derivative((-x.square()).exp(), x), "−2·e^(−x²)·x");
    same(&derivative((x * z).ln(), x), "1/x");
    same(&derivative(x.atan(), x), "1/(x² + 1)");
    same(&derivative(x.asin(), x), "1/√(1 − x²)");
    same(&derivative(x.logit(), x), "1/(x·(1 − x))");
    same(&derivative(x.hypot(z), x), "x/hypot(x, z)");

    let c = ["a", "b", "c"].map(|name| input(name, 0.7));
    let form = c[0] * x.square() + c[1] * x * z + c[2] * z.square();
    same(&derivative(form, x), "2·a·x + b·z");
    same(&derivative(form, z), "b·x + 2·c·z");
}

#[test]
fn the_gradient_of_log_sum_exp_is_softmax() {
    let tape = Tape::new();
    let x = [1, 2, 3].map(|i| tape.var(f64::from(i)).named(&format!("x{i}")));
    let unnamed = Var::log_sum_exp(&x);
    same(&derivative(unnamed, x[1]), "e^x2/(e^x1 + e^x2 + e^x3)");
    let cross_entropy = unnamed - x[0];
    same(
        &derivative(cross_entropy, x[0]),
        "e^x1/(e^x1 + e^x2 + e^x3) − 1",
    );
    let named = Var::log_sum_exp(&x).named("s");
    same(&derivative(named, x[1]), "e^x2/(e^x1 + e^x2 + e^x3)");
}

#[test]
fn a_network_of_two_layers_has_the_gradients_of_the_course() {
    let tape = Tape::new();
    let input = |name: &str, value| tape.var(value).named(name);
    let (x, t) = (input("x", 0.5), input("t", 1.0));
    let (w, b) = (
        ["w1", "w2"].map(|w| input(w, 0.3)),
        ["b1", "b2"].map(|b| input(b, 0.1)),
    );
    let (v, c) = (["v1", "v2"].map(|v| input(v, 0.8)), input("c", 0.2));
    let h1 = (w[0] * x + b[0]).tanh().named("h1");
    let h2 = (w[1] * x + b[1]).tanh().named("h2");
    let output = (v[0] * h1 + v[1] * h2 + c).named("ŷ");
    let loss = 0.5 * (output - t).square();
    same(&derivative(loss, output), "ŷ − t");
    same(&derivative(loss, v[0]), "(ŷ − t)·h1");
    same(&derivative(loss, c), "ŷ − t");
    same(&derivative(loss, h2), "(ŷ − t)·v2");
    same(&derivative(loss, w[0]), "(ŷ − t)·v1·(1 − h1²)·x");
    same(&derivative(loss, b[1]), "(ŷ − t)·v2·(1 − h2²)");
}
