//! Writes formulas as LaTeX, for math mode.

use super::layout::{ATOM, Layout, Name, PRODUCT, greek, written_sum};
use super::sheet::{Sheet, number};
use crate::graph::visible;
use crate::ops::Op;

pub(super) fn write(sheet: &Sheet) -> String {
    let body = of(&sheet.body);
    if sheet.bindings.is_empty() {
        return body;
    }
    let mut lines = Vec::new();
    if sheet.cut > 0 {
        lines.push(format!(
            "&\\text{{{} bindings before these are left out}}",
            sheet.cut
        ));
    }
    for (name, layout) in &sheet.bindings {
        lines.push(format!("{} &= {}", symbol(name), of(layout)));
    }
    lines.push(format!("&{body}"));
    format!(
        "\\begin{{aligned}}\n{}\n\\end{{aligned}}",
        lines.join(" \\\\\n")
    )
}

fn parenthesised(text: &str) -> String {
    format!("\\left({text}\\right)")
}

fn within(layout: &Layout, binding: u8) -> String {
    let text = of(layout);
    if layout.binding() < binding {
        parenthesised(&text)
    } else {
        text
    }
}

fn of(layout: &Layout) -> String {
    match layout {
        Layout::Number(value) => figures(*value),
        Layout::Symbol(name) => symbol(name),
        Layout::Constant("π") => "\\pi".to_owned(),
        Layout::Constant(name) => (*name).to_owned(),
        Layout::Neg(x) => format!("-{}", within(x, PRODUCT)),
        Layout::Sum(addends) => written_sum(addends, "-", within),
        Layout::Product(factors) => {
            let factors: Vec<String> = factors.iter().map(|x| within(x, PRODUCT)).collect();
            factors.join(" \\cdot ")
        }
        Layout::Quotient(above, below) => format!("\\frac{{{}}}{{{}}}", of(above), of(below)),
        Layout::Power(base, exponent) => format!("{}^{{{}}}", within(base, ATOM), of(exponent)),
        Layout::Root(2, x) => format!("\\sqrt{{{}}}", of(x)),
        Layout::Root(n, x) => format!("\\sqrt[{n}]{{{}}}", of(x)),
        Layout::Magnitude(x) => format!("\\left|{}\\right|", of(x)),
        Layout::Call(name, x) => {
            let x: Vec<String> = x.iter().map(of).collect();
            format!("{}{}", function(name), parenthesised(&x.join(", ")))
        }
        Layout::Choice(relation, parts) => {
            let [then, a, b, otherwise] = &**parts;
            let relation = if *relation == "≤" { "\\le" } else { relation };
            format!(
                "\\begin{{cases}} {} & \\text{{if }} {} {relation} {} \\\\ {} & \\text{{else}} \\end{{cases}}",
                of(then),
                of(a),
                of(b),
                of(otherwise)
            )
        }
        Layout::More(n) => format!("\\cdots\\text{{ [{n} more] }}\\cdots"),
    }
}

/// 1e-7 as 1 · 10⁻⁷.
fn figures(value: f64) -> String {
    let text = number(value);
    if text == "NaN" {
        return "\\mathrm{NaN}".to_owned();
    }
    match text.split_once('e') {
        Some((digits, exponent)) => format!("{{{digits} \\cdot 10^{{{exponent}}}}}"),
        None => text.replace('∞', "\\infty"),
    }
}

fn symbol(name: &str) -> String {
    let Name { stem, hat, index } = Name::of(name);
    let stem = word(stem);
    let stem = if hat {
        format!("\\hat{{{stem}}}")
    } else {
        stem
    };
    if index.is_empty() {
        stem
    } else if index.chars().all(|c| c.is_ascii_digit()) {
        format!("{stem}_{{{index}}}")
    } else {
        format!("{stem}_{{{}}}", word(index))
    }
}

/// One letter is a variable, more are a word; Greek letters have commands.
fn word(text: &str) -> String {
    if let Some((name, _)) = greek(text) {
        return format!(
            "\\{}",
            if name == "epsilon" {
                "varepsilon"
            } else {
                name
            }
        );
    }
    let one_letter = text.chars().count() == 1 && text.chars().all(char::is_alphabetic);
    if one_letter {
        return text.to_owned();
    }
    format!("\\mathrm{{{}}}", escaped(text))
}

fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in visible(text).chars() {
        match c {
            '\\' => escaped.push_str("\\backslash "),
            '^' => escaped.push_str("\\hat{\\ }"),
            '~' => escaped.push_str("\\sim "),
            '_' | '%' | '#' | '$' | '&' | '{' | '}' => {
                escaped.push('\\');
                escaped.push(c);
            }
            '′' => escaped.push('\''),
            ' ' => escaped.push_str("\\ "),
            _ => escaped.push(c),
        }
    }
    escaped
}

fn function(name: &str) -> String {
    match Op::latex(name) {
        Some(command) => command.to_owned(),
        None => format!("\\operatorname{{{}}}", escaped(name)),
    }
}
