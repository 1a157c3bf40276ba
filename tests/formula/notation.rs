//! How is a formula written: operations, parentheses, names and numbers, in plain
//! text, LaTeX and MathML?

use crate::common::{apply_with, expected};
use chainrule::{Formula, Op, Tape, Var};

/// The article's a, L and w1.
fn article(tape: &Tape) -> (Var<'_>, Var<'_>, Var<'_>) {
    let [x, y, w] = ["x1", "y", "w1"].map(|name| tape.var(0.5).named(name));
    let a = (w * x).named("z").sigmoid().named("a");
    (a, -(y * a.ln() + (1.0 - y) * (1.0 - a).ln()), w)
}

fn derivative(of: Var<'_>, wrt: Var<'_>) -> Formula {
    of.gradient_formulas(&[wrt])[0].simplify()
}

/// An operation on as many of `x` as it takes or tests sample.
fn apply<'t>(op: Op, x: [Var<'t>; 4]) -> Var<'t> {
    apply_with(op, &x, &[2.0, -1.0, 1.0, 3.0, 0.5])
}

#[test]
fn every_operation_is_written_as_expected() {
    let tape = Tape::new();
    let x = [1, 2, 3, 4].map(|i| tape.var(0.1 * f64::from(i)).named(&format!("x{i}")));
    let names = ["a", "b", "c", "d"];
    expected::hold(&[
        ("print", &|op| op.print(&names[..op.arity().unwrap_or(4)])),
        ("text", &|op| apply(op, x).formula().to_string()),
        ("latex", &|op| apply(op, x).formula().latex()),
    ]);
}

#[test]
fn a_template_fills_each_place_once() {
    // A name that looks like a place for another operand stays as it is.
    assert_eq!(Op::XLnY.print(&["{1}", "y"]), "{1}·ln(y)");
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
    let (a, loss, w) = article(&tape);
    assert_eq!(
        derivative(loss, a).latex(),
        r"\frac{1 - y}{1 - a} - \frac{y}{a}"
    );
    assert_eq!(
        derivative(loss, w).latex(),
        r"\left(a - y\right) \cdot x_{1}"
    );
}

#[test]
fn mathml_is_one_complete_element_with_escaped_names() {
    let tape = Tape::new();
    let (a, loss, w) = article(&tape);
    assert_eq!(
        derivative(loss, w).mathml(),
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

#[test]
fn names_in_latex_and_mathml_are_letters_words_indices_and_hats() {
    let tape = Tape::new();
    let cases = [
        ("x", "x", "<mi>x</mi>"),
        ("x12", "x_{12}", "<msub><mi>x</mi><mn>12</mn></msub>"),
        ("x_1", "x_{1}", "<msub><mi>x</mi><mn>1</mn></msub>"),
        ("y_hat", r"\hat{y}", "<mover><mi>y</mi><mo>^</mo></mover>"),
        ("σ", r"\sigma", "<mi>σ</mi>"),
        ("beta0", r"\beta_{0}", "<msub><mi>β</mi><mn>0</mn></msub>"),
        ("loss", r"\mathrm{loss}", "<mi>loss</mi>"),
        ("42", r"\mathrm{42}", "<mi>42</mi>"),
        ("_", r"\mathrm{\_}", "<mi>_</mi>"),
        ("", r"\mathrm{}", "<mi></mi>"),
    ];
    for (name, latex, mathml) in cases {
        let formula = tape.var(0.5).named(name).formula();
        assert_eq!(formula.to_string(), name);
        assert_eq!(formula.latex(), latex);
        assert_eq!(
            formula.mathml(),
            format!("<math><mrow>{mathml}</mrow></math>")
        );
    }
}

#[test]
fn numbers_print_with_the_digits_that_give_them_back() {
    let number = |value: f64| {
        let tape = Tape::new();
        let x = tape.var(1.0).named("x");
        (x + value).formula().to_string()
    };
    assert_eq!(number(0.1 + 0.2), "x + 0.30000000000000004");
    assert_eq!(number(-1e-9), "x − 1e-9");
    assert_eq!(number(f64::INFINITY), "x + ∞");
    assert_eq!(number(f64::NEG_INFINITY), "x − ∞");
    assert_eq!(number(f64::NAN), "x + NaN");
    assert_eq!(number(std::f64::consts::PI), "x + π");
    let infinite = |value: f64| {
        let tape = Tape::new();
        let x = tape.var(1.0).named("x");
        (x * value).formula().simplify().to_string()
    };
    assert_eq!(infinite(f64::INFINITY), "∞·x");
    assert_eq!(infinite(f64::NEG_INFINITY), "−∞·x");
    assert_eq!(infinite(f64::NAN), "NaN·x");
}

#[test]
fn bindings_say_the_same_as_the_formula() {
    let tape = Tape::new();
    let x = tape.var(0.5).named("t");
    let s = (x + 1.0).sin();
    let formula = (s * s + s.exp()).formula();
    let lets = formula.with_lets();
    assert_eq!(lets.to_string(), "let u1 = sin(t + 1)\nu1·u1 + e^u1");
    assert_eq!(
        lets.latex(),
        "\\begin{aligned}\nu_{1} &= \\sin\\left(t + 1\\right) \\\\\n\
         &u_{1} \\cdot u_{1} + e^{u_{1}}\n\\end{aligned}"
    );
    assert!(
        lets.mathml()
            .starts_with("<math><mtable><mtr><mtd><mrow><msub><mi>u</mi><mn>1</mn>")
    );
    assert_eq!(x.sin().formula().with_lets().to_string(), "sin(t)");
}

/// Whether every element that is opened is closed, in order.
fn is_well_formed(xml: &str) -> bool {
    let mut open = Vec::new();
    for tag in xml.split('<').skip(1) {
        let Some((tag, text)) = tag.split_once('>') else {
            return false;
        };
        match tag.strip_prefix('/') {
            Some(name) if open.pop() != Some(name) => return false,
            Some(_) => {}
            None => open.push(tag.split(' ').next().unwrap_or("")),
        }
        let entities = text.split('&').skip(1);
        if text.contains('"') || entities.into_iter().any(|entity| !entity.contains(';')) {
            return false;
        }
    }
    open.is_empty()
}

#[test]
fn mathml_is_well_formed_and_latex_balanced_for_every_operation() {
    assert!(!is_well_formed("<math><mi>x</math></mi>") && !is_well_formed("<math>"));
    let tape = Tape::new();
    let x = ["<", "}&", "a&b", "x1"].map(|name| tape.var(0.3).named(name));
    for &op in Op::ALL {
        let node = apply(op, [x[1], x[2], x[3], x[0]]);
        let mut formulas = node.gradient_formulas(&x);
        formulas.push(node.formula());
        for formula in formulas.iter().flat_map(|f| [f.clone(), f.simplify()]) {
            assert!(is_well_formed(&formula.mathml()), "{}", formula.mathml());
            let latex = formula.latex().replace(r"\{", "").replace(r"\}", "");
            let count = |part: &str| latex.matches(part).count();
            assert_eq!(count("{"), count("}"), "{latex}");
            assert_eq!(count(r"\left"), count(r"\right"), "{latex}");
        }
    }
}
