//! Writes formulas as plain text: `(a − y)·x1`.

use super::layout::{ATOM, Layout, POWER, PRODUCT, written_sum};
use super::sheet::{Sheet, number};

pub(super) fn write(sheet: &Sheet) -> String {
    let mut text = String::new();
    if sheet.cut > 0 {
        text.push_str(&format!(
            "… {} bindings before these are left out\n",
            sheet.cut
        ));
    }
    for (name, layout) in &sheet.bindings {
        text.push_str(&format!("let {name} = {}\n", of(layout)));
    }
    text.push_str(&of(&sheet.body));
    text
}

/// In parentheses unless it binds at least so strongly.
fn within(layout: &Layout, binding: u8) -> String {
    let text = of(layout);
    if layout.binding() < binding {
        format!("({text})")
    } else {
        text
    }
}

fn of(layout: &Layout) -> String {
    match layout {
        Layout::Number(value) => number(*value),
        Layout::Symbol(name) => name.to_string(),
        Layout::Constant(name) => (*name).to_owned(),
        Layout::Neg(x) => format!("−{}", within(x, PRODUCT)),
        Layout::Sum(addends) => written_sum(addends, "−", within),
        Layout::Product(factors) => {
            let factor = |(i, x): (usize, &Layout)| match x {
                // a·(b/c) is not a·b/c, as it is computed.
                Layout::Quotient(..) if i > 0 => format!("({})", of(x)),
                _ => within(x, PRODUCT),
            };
            let factors: Vec<String> = factors.iter().enumerate().map(factor).collect();
            factors.join("·")
        }
        Layout::Quotient(above, below) => {
            format!("{}/{}", within(above, PRODUCT), within(below, POWER))
        }
        Layout::Power(base, exponent) => {
            let base = within(base, ATOM);
            match exponent.small_whole() {
                Some(n) => base + &raised(n),
                None => format!("{base}^{}", within(exponent, ATOM)),
            }
        }
        Layout::Root(2, x) => format!("√{}", within(x, ATOM)),
        Layout::Root(_, x) => format!("∛{}", within(x, ATOM)),
        Layout::Magnitude(x) => format!("|{}|", of(x)),
        Layout::Call(name, x) => {
            let x: Vec<String> = x.iter().map(of).collect();
            format!("{name}({})", x.join(", "))
        }
        Layout::Choice(relation, parts) => {
            let [then, a, b, otherwise] = &**parts;
            format!(
                "({} if {} {relation} {} else {})",
                of(then),
                of(a),
                of(b),
                of(otherwise)
            )
        }
        Layout::More(n) => format!("… [{n} more] …"),
    }
}

/// A whole number as a superscript.
fn raised(n: u32) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let digit = |c: char| c.to_digit(10).map(|d| DIGITS[d as usize]);
    n.to_string().chars().filter_map(digit).collect()
}
