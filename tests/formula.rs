//! Does a formula print as a person writes it, and does simplification turn the
//! engine's gradients into what a textbook prints?

use chainrule::{Formula, Op, Real, Tape, Var};

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
fn every_operation_prints() {
    let tape = Tape::new();
    let x = [1, 2, 3, 4].map(|i| tape.var(0.1 * f64::from(i)).named(&format!("x{i}")));
    let printed = |op: Op| match op.arity() {
        Some(1) => Real::unary(op, x[0]).formula().to_string(),
        Some(2) => Real::binary(op, x[0], x[1]).formula().to_string(),
        _ if op == Op::LinearCombination => {
            Var::linear_combination(&[2.0, -1.0, 1.0], &x[..3], 0.5)
                .formula()
                .to_string()
        }
        _ => Var::nary(op, &[&x], &[]).formula().to_string(),
    };
    let expected = [
        "−x1",
        "x1 + x2",
        "x1 − x2",
        "x1·x2",
        "x1/x2",
        "1/x1",
        "x1²",
        "1 − x1²",
        "√x1",
        "∛x1",
        "e^x1",
        "e^x1 − 1",
        "2^x1",
        "ln(x1)",
        "ln(1 + x1)",
        "log2(x1)",
        "log10(x1)",
        "sin(x1)",
        "cos(x1)",
        "tan(x1)",
        "asin(x1)",
        "acos(x1)",
        "atan(x1)",
        "sinh(x1)",
        "cosh(x1)",
        "tanh(x1)",
        "sech(x1)",
        "asinh(x1)",
        "acosh(x1)",
        "atanh(x1)",
        "|x1|",
        "relu(x1)",
        "σ(x1)",
        "logit(x1)",
        "softplus(x1)",
        "ln σ(x1)",
        "erf(x1)",
        "x1^x2",
        "atan2(x1, x2)",
        "hypot(x1, x2)",
        "min(x1, x2)",
        "max(x1, x2)",
        "compare(x1, x2)",
        "log_add_exp(x1, x2)",
        "x1·ln(x2)",
        "x1 + x2 + x3 + x4",
        "x1·x2·x3·x4",
        "x1·x3 + x2·x4",
        "0.5 + 2·x1 − x2 + x3",
        "ln(e^x1 + e^x2 + e^x3 + e^x4)",
        "(x3 if x1 < x2 else x4)",
        "(x3 if x1 ≤ x2 else x4)",
        "(x3 if x1 = x2 else x4)",
    ];
    let found: Vec<String> = Op::ALL.iter().map(|&op| printed(op)).collect();
    assert_eq!(found, expected);
}

#[test]
fn parentheses_stand_where_they_are_needed_and_nowhere_else() {
    let tape = Tape::new();
    let [a, b, c] = ["a", "b", "c"].map(|name| tape.var(0.5).named(name));
    let cases = [
        (a - (b - c), "a − (b − c)"),
        (a - b - c, "a − b − c"),
        (a + (b - c), "a + b − c"),
        (a + -b, "a − b"),
        (a - -b, "a − (−b)"),
        ((a + b) * c, "(a + b)·c"),
        (a * (b / c), "a·(b/c)"),
        (a * b / c, "a·b/c"),
        (a / (b * c), "a/(b·c)"),
        (a / b / c, "a/b/c"),
        (a / (b / c), "a/(b/c)"),
        (-(a * b), "−a·b"),
        ((-a) * b, "(−a)·b"),
        (-(a + b), "−(a + b)"),
        (-(-a), "−(−a)"),
        ((-a).square(), "(−a)²"),
        (-(a.square()), "−a²"),
        (a.square().square(), "(a²)²"),
        ((a + b).powi(3), "(a + b)³"),
        (a.pow(b.pow(c)), "a^(b^c)"),
        (a.pow(b).pow(c), "(a^b)^c"),
        (a.pow(-2.0), "a^(−2)"),
        (a * -2.0, "a·(−2)"),
        (-2.0 * a, "−2·a"),
        (b - 2.0 * a, "b − 2·a"),
        (b + -2.0 * a, "b − 2·a"),
        ((a * b).exp(), "e^(a·b)"),
        ((a + b).sqrt(), "√(a + b)"),
        (a.sqrt().square(), "(√a)²"),
        ((a - b).abs(), "|a − b|"),
        (a.log_sigmoid().square(), "(ln σ(a))²"),
        ((a + b).recip(), "1/(a + b)"),
        ((1.0 + (-a).exp()).recip(), "1/(1 + e^(−a))"),
        (a * 1e-7 + 1e300, "a·1e-7 + 1e300"),
    ];
    for (node, expected) in cases {
        assert_eq!(node.formula().to_string(), expected);
    }
}

#[test]
fn latex_has_fractions_indices_and_greek_letters() {
    let tape = Tape::new();
    let named = |name: &str| tape.var(0.5).named(name);
    let [w1, theta, rate, hat, x_ij, y] = ["w1", "theta", "rate", "ŷ", "x_ij", "y"].map(named);
    let latex = |node: Var<'_>| node.formula().latex();
    assert_eq!(latex(w1 * x_ij), r"w_{1} \cdot x_{\mathrm{ij}}");
    assert_eq!(latex(theta.sigmoid()), r"\sigma\left(\theta\right)");
    assert_eq!(
        latex((1.0 - y) / (1.0 - theta)),
        r"\frac{1 - y}{1 - \theta}"
    );
    assert_eq!(latex(hat - y), r"\hat{y} - y");
    assert_eq!(latex(rate.sqrt()), r"\sqrt{\mathrm{rate}}");
    assert_eq!(latex((1.0 + (-y).exp()).recip()), r"\frac{1}{1 + e^{-y}}");
    assert_eq!(latex((y + 1.0).powi(3)), r"\left(y + 1\right)^{3}");
    assert_eq!(latex(y.min(1e-7)), r"\min\left(y, {1 \cdot 10^{-7}}\right)");
    let odd = tape.var(1.0).named("a%b{");
    assert_eq!(latex(odd.log2()), r"\log_{2}\left(\mathrm{a\%b\{}\right)");
    let tape = Tape::new();
    let Article { a, loss, w, .. } = article(&tape, Spelling::Sigmoid);
    assert_eq!(
        derivative(loss, a).latex(),
        r"\frac{1 - y}{1 - a} - \frac{y}{a}"
    );
    assert_eq!(
        derivative(loss, w[0]).latex(),
        r"\left(a - y\right) \cdot x_{1}"
    );
}

#[test]
fn mathml_is_one_complete_element_with_escaped_names() {
    let tape = Tape::new();
    let Article { a, loss, w, .. } = article(&tape, Spelling::Sigmoid);
    assert_eq!(
        derivative(loss, w[0]).mathml(),
        "<math><mrow><mrow><mo>(</mo><mi>a</mi><mo>−</mo><mi>y</mi><mo>)</mo></mrow><mo>·</mo>\
         <msub><mi>x</mi><mn>1</mn></msub></mrow></math>"
    );
    assert_eq!(
        derivative(loss, a).mathml(),
        "<math><mrow><mfrac><mrow><mn>1</mn><mo>−</mo><mi>y</mi></mrow><mrow><mn>1</mn><mo>−</mo>\
         <mi>a</mi></mrow></mfrac><mo>−</mo><mfrac><mrow><mi>y</mi></mrow><mrow><mi>a</mi></mrow>\
         </mfrac></mrow></math>"
    );
    let odd = tape.var(1.0).named("<&>\"");
    assert_eq!(
        (-odd).exp().formula().mathml(),
        "<math><mrow><msup><mrow><mi>e</mi></mrow><mrow><mo form=\"prefix\">−</mo>\
         <mi>&lt;&amp;&gt;&quot;</mi></mrow></msup></mrow></math>"
    );
}
