//! Does a formula print as a person writes it, and does simplification turn the
//! engine's gradients into what a textbook prints?

use chainrule::{Formula, Tape, Var};

/// The article's graph, with data and parameters as named inputs.
struct Article<'t> {
    x: [Var<'t>; 2],
    y: Var<'t>,
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
    EachStepNamed,
}

const SPELLINGS: [Spelling; 4] = [
    Spelling::Sigmoid,
    Spelling::SpelledOut,
    Spelling::SpelledOutWithG,
    Spelling::EachStepNamed,
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
        Spelling::EachStepNamed => (1.0 + (-z).exp().named("e")).named("g").recip(),
    }
    .named("a");
    let loss = -(y * a.ln() + (1.0 - y) * (1.0 - a).ln());
    Article {
        x,
        y,
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
            ..
        } = article(&tape, spelling);
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

    let (x, n) = (input("x", 0.7), input("n", 3.0));
    same(&derivative(x.pow(n), x), "n·x^(n − 1)");
    same(&derivative(x.pow(n), n), "x^n·ln(x)");
    same(&derivative(x.powi(3), x), "3·x²");
    same(&derivative(x.powi(2), x), "2·x");
    same(&derivative(x.powf(2.5), x), "2.5·x^1.5");
    same(&derivative(x.sqrt(), x), "1/(2·√x)");
    same(&derivative(x.recip(), x), "−1/x²");
    same(&derivative(x / z, z), "−x/z²");
    same(&derivative(x.sin() * x, x), "x·cos(x) + sin(x)");
    same(&derivative((-x.square()).exp(), x), "−2·x·e^(−x²)");
    same(&derivative((x * z).ln(), x), "1/x");
    same(&derivative(x.atan(), x), "1/(x² + 1)");
    same(&derivative(x.asin(), x), "1/√(1 − x²)");
    same(&derivative(x.logit(), x), "1/(x·(1 − x))");
    same(&derivative(x.hypot(z), x), "x/√(z² + x²)");

    let tape = Tape::new();
    let [a, b, c, x, y] = ["a", "b", "c", "x", "y"].map(|name| tape.var(0.7).named(name));
    let form = a * x.square() + b * (x * y) + c * y.square();
    same(&derivative(form, x), "2·a·x + b·y");
    same(&derivative(form, y), "b·x + 2·c·y");
    let matrix = [[2.0, 1.0], [1.0, 3.0]];
    let v = [x, y];
    let row = |i: usize| matrix[i][0] * v[0] + matrix[i][1] * v[1];
    let form = 0.5 * (x * row(0) + y * row(1));
    same(&derivative(form, x), "2·x + y");
    same(&derivative(form, y), "x + 3·y");
    same(&derivative((x + y + a) / 3.0, a), "1/3");
    same(
        &derivative((0.1 * x + 0.25 * x + 0.25 * x) * y, y),
        "0.5·x + 0.1·x",
    );
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
fn higher_derivatives_and_other_losses_come_out_too() {
    let tape = Tape::new();
    let Article { x, w, y, loss, .. } = article(&tape, Spelling::Sigmoid);
    let first = loss.gradient_graph(&[w[0]])[0];
    same(&first.formula().simplify(), "(a − y)·x1");
    same(&derivative(first, w[0]), "x1²·a·(1 − a)");
    let second = first.gradient_graph(&[w[0]])[0];
    same(&derivative(second, w[0]), "x1³·a·(2·a² − 3·a + 1)");

    let lambda = tape.var(0.1).named("λ");
    let ridge = loss + 0.5 * lambda * (w[0].square() + w[1].square());
    same(&derivative(ridge, w[0]), "(a − y)·x1 + λ·w1");
    let lasso = (loss + lambda * w[0].abs()) / 3.0;
    same(&derivative(lasso, w[0]), "((a − y)·x1 + λ·sgn(w1))/3");
    let normal = -0.5 * ((x[0] - y) / lambda).square() - lambda.ln();
    same(&derivative(normal, lambda), "(x1 − y)²/λ³ − 1/λ");
    let exp = x[1].exp();
    let tanh = (exp - (-x[1]).exp()) / (exp + (-x[1]).exp());
    same(&derivative(tanh, x[1]), "4/(e^x2 + e^(−x2))²");
    same(
        &derivative(x[1].sin().square() + x[1].cos().square(), x[1]),
        "0",
    );
    same(&derivative(x[0] / (1.0 + x[0]), x[0]), "1/(x1 + 1)²");
}

#[test]
fn named_softmax_probabilities_stand_in_their_own_gradients() {
    let tape = Tape::new();
    let z = [1, 2, 3].map(|i| tape.var(0.3 * f64::from(i)).named(&format!("z{i}")));
    let t = [1, 2, 3].map(|i| tape.var(0.0).named(&format!("t{i}")));
    let e = z.map(Var::exp);
    let total = Var::sum(&e);
    let p = [0, 1, 2].map(|i| (e[i] / total).named(&format!("p{}", i + 1)));
    let loss = -p[0].ln();
    same(&derivative(loss, z[0]), "p1 − 1");
    same(&derivative(loss, z[1]), "p2");
    same(&derivative(p[0], z[0]), "p1·(1 − p1)");
    same(&derivative(p[0], z[1]), "−p1·p2");
    let loss = -(t[0] * p[0].ln() + t[1] * p[1].ln() + t[2] * p[2].ln());
    same(&derivative(loss, z[0]), "p1·(t1 + t2 + t3) − t1");
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

#[test]
fn an_unnamed_input_is_a_symbol_by_its_number_and_never_a_name_that_is_taken() {
    let tape = Tape::new();
    let (a, b) = (tape.var(1.0), tape.var(2.0));
    same(&(a * b).formula(), "v0·v1");
    let _ = tape.var(3.0).named("v0");
    same(&(a * tape.lookup("v0").unwrap()).formula(), "v0′·v0");
}

#[test]
fn a_partial_is_the_row_of_the_table_in_terms_of_operands_and_result() {
    let tape = Tape::new();
    let [x, y] = ["x", "y"].map(|name| tape.var(0.5).named(name));
    let partial = |node: Var<'_>, operand| node.partial_formula(operand).to_string();
    assert_eq!(partial(x * y, x), "y");
    assert_eq!(partial(x * x, x), "x + x");
    assert_eq!(partial((x / y).named("q"), y), "−q/y");
    assert_eq!(partial(x.exp().named("p"), x), "p");
    let s = x + y;
    assert_eq!(partial(s.ln(), s), "1/(x + y)");
    assert_eq!(partial(x.powi(3), x), "3·x²");
    assert_eq!(partial(Var::product(&[x, y, x.sin()]), y), "x·sin(x)");
    let long = (0..20).fold(x, |a, _| a.sin());
    let id = long.id().unwrap();
    assert_eq!(partial(long.ln(), long), format!("1/v{id}"));
    // The row is shown also where its value does not exist.
    let negative = tape.var(-1.0).named("n");
    assert_eq!(partial(negative.ln(), negative), "1/n");
}

#[test]
#[should_panic(expected = "is not an operand of")]
fn a_partial_by_what_is_no_operand_stops_the_caller() {
    let tape = Tape::new();
    let x = tape.var(0.5);
    let _ = x.sin().partial_formula(x.cos());
}

#[test]
fn a_gradient_leaves_the_tape_as_it_was_also_at_its_limit() {
    let tape = Tape::with_limit(3);
    let x = tape.var(0.5).named("x");
    let y = (x * x).sin();
    same(&derivative(y, x), "2·x·cos(x²)");
    assert_eq!(tape.len(), 3);
    same(&y.gradient_formulas(&[Var::from(2.0)])[0], "0");
    same(&Var::from(2.0).gradient_formulas(&[x])[0], "0");
}

#[test]
fn formulas_are_equal_if_their_expressions_are() {
    let formula = |named: bool| {
        let tape = Tape::new();
        let x = tape.var(0.5).named("x");
        let mut s = x.sin();
        if named {
            s = s.named("s");
        }
        (s * x).expanded_formula()
    };
    assert_eq!(formula(true), formula(false));
    let tape = Tape::new();
    let [x, y] = ["x", "y"].map(|name| tape.var(0.5).named(name));
    assert_ne!((x + y).formula(), (y + x).formula());
    assert_ne!((x + 0.0).formula(), (x + -0.0).formula());
}

#[test]
fn a_formula_evaluates_on_every_number_type_with_the_bits_of_the_tape() {
    let tape = Tape::new();
    let [x, y] = ["x", "y"].map(|name| tape.var(0.7).named(name));
    let s = (x * y).sin().named("s");
    let out = Var::linear_combination(&[2.0, -1.0], &[s.exp(), x.hypot(y)], 0.25) / s;
    let formula = out.formula();
    let value = |name: &str| tape.lookup(name).ok().map(Var::value);
    assert_eq!(formula.evaluate(value), Ok(out.value()));
    let inputs = |name: &str| (name != "s").then_some(0.7);
    assert_eq!(formula.evaluate(inputs), Ok(out.value()));
    let other = Tape::new();
    let again = formula
        .evaluate(|name| Some(other.var(value(name)?)))
        .unwrap();
    assert_eq!(again.value(), out.value());
    let missing = formula
        .evaluate(|name| (name != "x").then_some(1.0))
        .unwrap_err();
    let text = "the formula needs a value of x, and none is given";
    assert_eq!(missing.to_string(), text);
    same(&formula.definition("s").unwrap(), "sin(x·y)");
    assert_eq!(formula.definition("x"), None);
}

#[test]
fn a_formula_goes_to_another_thread() {
    fn goes<T: Send + Sync + Clone + std::fmt::Debug>() {}
    goes::<Formula>();
}
