//! The front page's example: one row of logistic regression, and its gradient.
#![allow(clippy::print_stdout, reason = "an example prints")]

use chainrule::Tape;

fn main() {
    let tape = Tape::new();
    let w1 = tape.var(0.4).named("w1");
    let w2 = tape.var(-0.3).named("w2");
    let b = tape.var(0.1).named("b");
    let (x1, x2, y) = (1.5, -2.0, 1.0); // data: plain f64

    let z = (w1 * x1 + w2 * x2 + b).named("z");
    let a = z.sigmoid().named("a");
    let loss = -(y * a.ln() + (1.0 - y) * (1.0 - a).ln());

    let grad = loss.backward();
    println!("L      = {loss:.6}");
    println!(
        "dL/dw1 = {:.6} = (a − y)·x1 = {:.6}",
        grad.wrt(w1),
        (a.value() - y) * x1
    );
    println!(
        "dL/dz  = {:.6} = a − y      = {:.6}",
        grad.wrt(z),
        a.value() - y
    );
    println!(
        "da/dz  = {:.6}  = a(1 − a)   = {:.6}",
        a.partial(z),
        (a * (1.0 - a)).value()
    );
    println!("all    = {:?}", grad.by_name());
}
