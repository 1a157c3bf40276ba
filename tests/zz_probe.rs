//! probe
use chainrule::*;
#[test]
fn probe() {
    let tape = Tape::new();
    let (x, z) = (tape.var(0.7).named("x"), tape.var(0.3).named("z"));
    let p = |f: Var<'_>| {
        let g = f.gradient_formulas(&[x, z]);
        println!(
            "{:40} ∂x {:40} raw {}",
            f.formula().to_string(),
            g[0].simplify().to_string(),
            g[0]
        );
        println!(
            "{:40} ∂z {:40} raw {}",
            "",
            g[1].simplify().to_string(),
            g[1]
        );
    };
    for &op in Op::ALL {
        match op.arity() {
            Some(1) => p(Real::unary(op, x)),
            Some(2) => p(Real::binary(op, x, z)),
            _ => match op {
                Op::LinearCombination => p(Var::linear_combination(&[2.0, -1.0], &[x, z], 3.0)),
                Op::SelectLt | Op::SelectLe | Op::SelectEq => {
                    p(Real::nary(op, &[&[x, z, x.sin(), z.square()]], &[]))
                }
                _ => p(Real::nary(op, &[&[x, z, x, z.sin()]], &[])),
            },
        }
    }
    p(x.pow(z) * x);
    p(x.powf(2.5));
    p(0.1 * x + 0.2 * x);
    p((0.1 * x) * 2.0 * z);
    p(x.exp() * z.exp());
    p((-x.square()).exp());
    p((x * z).ln());
    p((x - z).abs());
    p(x.tanh().square());
    p((x - 3.0 * z).sigmoid());
    p(1.0 / (1.0 + (-x).exp()));
    p((1.0 - x).powi(3) / 3.0);
}
