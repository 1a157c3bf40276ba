//! Writes formulas as presentation MathML, of the Core subset.

use super::layout::{ATOM, Layout, Name, PRODUCT, SUM, greek};
use super::sheet::{Sheet, number};
use crate::graph::escaped;

pub(super) fn write(sheet: &Sheet) -> String {
    let body = row(&of(&sheet.body));
    if sheet.bindings.is_empty() {
        return format!("<math>{body}</math>");
    }
    let mut rows = String::new();
    let mut line = |left: &str, right: &str| {
        rows.push_str(&format!("<mtr><mtd>{left}</mtd><mtd>{right}</mtd></mtr>"));
    };
    if sheet.cut > 0 {
        let said = format!("{} bindings before these are left out", sheet.cut);
        line("", &format!("<mtext>{said}</mtext>"));
    }
    for (name, layout) in &sheet.bindings {
        line(
            &row(&format!("{}{}", symbol(name), operator("="))),
            &row(&of(layout)),
        );
    }
    line("", &body);
    format!("<math><mtable>{rows}</mtable></math>")
}

fn row(content: &str) -> String {
    format!("<mrow>{content}</mrow>")
}

fn operator(sign: &str) -> String {
    format!("<mo>{}</mo>", escaped(sign))
}

/// A sign before what it negates, without the room around a difference.
const MINUS: &str = "<mo form=\"prefix\">−</mo>";

fn parenthesised(content: &str) -> String {
    format!("<mrow><mo>(</mo>{content}<mo>)</mo></mrow>")
}

fn within(layout: &Layout, binding: u8) -> String {
    let content = of(layout);
    if layout.binding() < binding {
        parenthesised(&content)
    } else {
        content
    }
}

/// A layout as elements that follow one another; `row` makes them one.
fn of(layout: &Layout) -> String {
    match layout {
        Layout::Number(value) => figures(*value),
        Layout::Symbol(name) => symbol(name),
        Layout::Constant(name) => format!("<mi>{name}</mi>"),
        Layout::Neg(x) => format!("{MINUS}{}", within(x, PRODUCT)),
        Layout::Sum(addends) => sum(addends),
        Layout::Product(factors) => {
            let factors: Vec<String> = factors.iter().map(|x| within(x, PRODUCT)).collect();
            factors.join(&operator("·"))
        }
        Layout::Quotient(above, below) => {
            format!("<mfrac>{}{}</mfrac>", row(&of(above)), row(&of(below)))
        }
        Layout::Power(base, exponent) => {
            format!(
                "<msup>{}{}</msup>",
                row(&within(base, ATOM)),
                row(&of(exponent))
            )
        }
        Layout::Root(2, x) => format!("<msqrt>{}</msqrt>", of(x)),
        Layout::Root(n, x) => format!("<mroot>{}<mn>{n}</mn></mroot>", row(&of(x))),
        Layout::Magnitude(x) => row(&format!("<mo>|</mo>{}<mo>|</mo>", of(x))),
        Layout::Call(name, x) => {
            let x: Vec<String> = x.iter().map(of).collect();
            // With the invisible sign of application, for those who hear it.
            let name = format!("<mi>{}</mi><mo>&#8289;</mo>", escaped(name));
            row(&format!("{name}{}", parenthesised(&x.join(&operator(",")))))
        }
        Layout::Choice(relation, parts) => {
            let [then, a, b, otherwise] = &**parts;
            let said = |text: &str| format!("<mtext>&#160;{text}&#160;</mtext>");
            parenthesised(&format!(
                "{}{}{}{}{}{}{}",
                of(then),
                said("if"),
                of(a),
                operator(relation),
                of(b),
                said("else"),
                of(otherwise)
            ))
        }
        Layout::More(n) => format!("<mo>⋯</mo><mtext>[{n} more]</mtext><mo>⋯</mo>"),
    }
}

fn sum(addends: &[Layout]) -> String {
    let mut content = String::new();
    for (i, addend) in addends.iter().enumerate() {
        match addend {
            _ if i == 0 => content.push_str(&within(addend, SUM)),
            Layout::Neg(x) => {
                content.push_str(&operator("−"));
                content.push_str(&within(x, PRODUCT));
            }
            _ => {
                content.push_str(&operator("+"));
                content.push_str(&within(addend, PRODUCT));
            }
        }
    }
    content
}

/// 1e-7 as 1 · 10⁻⁷.
fn figures(value: f64) -> String {
    let text = number(value);
    match text.split_once('e') {
        Some((digits, exponent)) => row(&format!(
            "<mn>{digits}</mn><mo>·</mo><msup><mn>10</mn><mn>{}</mn></msup>",
            exponent.replace('-', "−")
        )),
        None => format!("<mn>{text}</mn>"),
    }
}

fn symbol(name: &str) -> String {
    let Name { stem, hat, index } = Name::of(name);
    let letter = |text: &str| match greek(text) {
        Some((_, letter)) => format!("<mi>{letter}</mi>"),
        None => format!("<mi>{}</mi>", escaped(text)),
    };
    let stem = match hat {
        true => format!("<mover>{}<mo>^</mo></mover>", letter(stem)),
        false => letter(stem),
    };
    if index.is_empty() {
        stem
    } else if index.chars().all(|c| c.is_ascii_digit()) {
        format!("<msub>{stem}<mn>{index}</mn></msub>")
    } else {
        format!("<msub>{stem}{}</msub>", letter(index))
    }
}
