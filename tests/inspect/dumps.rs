//! Do the tables and dumps say what is on the tape, in these very words, for any
//! name and any size?

use crate::article::{HOSTILE, article, hostile};
use chainrule::{Op, Tape, Var};

#[test]
fn the_table_of_the_articles_graph() {
    let tape = Tape::new();
    article(&tape, false);
    let expected = "\
id   name   op        operands       value
 0   w1     input                      0.4
 1   w2     input                     -0.3
 2   b      input                      0.1
 3   x1     input                      1.5
 4   x2     input                       -2
 5   y      input                        1
 6          mul       w1, x1           0.6
 7          mul       w2, x2           0.6
 8          add       %6, %7           1.2
 9   z      add       %8, b            1.3
10   a      sigmoid   z           0.785835
11          ln        a          -0.241008
12          mul       y, %11     -0.241008
13          sub       1, y               0
14          sub       1, a        0.214165
15          ln        %14         -1.54101
16          mul       %13, %15          -0
17          add       %12, %16   -0.241008
18   L      neg       %17         0.241008
";
    assert_eq!(tape.table().to_string(), expected);
}

#[test]
fn the_table_of_its_sweep_has_adjoints_and_partials() {
    let tape = Tape::new();
    let adjoints = article(&tape, true).loss.backward();
    let expected = "\
id   name   op      operands       value     adjoint   partials
 0   w1     input                    0.4   -0.321248
 1   w2     input                   -0.3     0.42833
 2   b      input                    0.1   -0.214165
 3   x1     input                    1.5   -0.085666
 4   x2     input                     -2   0.0642495
 5   y      input                      1        -1.3
 6          mul     w1, x1           0.6   -0.214165   w1: 1.5, x1: 0.4
 7          mul     w2, x2           0.6   -0.214165   w2: -2, x2: -0.3
 8          add     %6, %7           1.2   -0.214165   %6: 1, %7: 1
 9   z      add     %8, b            1.3   -0.214165   %8: 1, b: 1
10          neg     z               -1.3    0.214165   z: -1
11          exp     %10         0.272532    0.785835   %10: 0.272532
12   g      add     %11, 1       1.27253    0.785835   %11: 1
13   a      recip   g           0.785835    -1.27253   g: -0.617537
14          ln      a          -0.241008          -1   a: 1.27253
15          mul     y, %14     -0.241008          -1   y: -0.241008, %14: 1
16          sub     1, y               0     1.54101   y: -1
17          sub     1, a        0.214165           0   a: -1
18          ln      %17         -1.54101           0   %17: 4.6693
19          mul     %16, %18          -0          -1   %16: -1.54101, %18: 0
20          add     %15, %19   -0.241008          -1   %15: 1, %19: 1
21   L      neg     %20         0.241008           1   %20: -1
";
    assert_eq!(adjoints.table().to_string(), expected);
}

#[test]
fn the_listing_is_one_instruction_a_line() {
    let tape = Tape::new();
    let graph = article(&tape, false);
    let expected = "\
%w1 = input          ; 0.4
%w2 = input          ; -0.3
%b = input           ; 0.1
%x1 = input          ; 1.5
%x2 = input          ; -2
%y = input           ; 1
%6 = mul %w1, %x1    ; 0.6
%7 = mul %w2, %x2    ; 0.6
%8 = add %6, %7      ; 1.2
%z = add %8, %b      ; 1.3
%a = sigmoid %z      ; 0.785835
%11 = ln %a          ; -0.241008
%12 = mul %y, %11    ; -0.241008
%13 = sub 1, %y      ; 0
%14 = sub 1, %a      ; 0.214165
%15 = ln %14         ; -1.54101
%16 = mul %13, %15   ; -0
%17 = add %12, %16   ; -0.241008
%L = neg %17         ; 0.241008
";
    assert_eq!(tape.listing().to_string(), expected);
    let swept = graph.loss.backward().listing().to_string();
    assert!(swept.ends_with("%L = neg %17         ; 0.241008    adjoint 1\n"));
}

#[test]
fn dot_has_values_adjoints_and_partials() {
    let tape = Tape::new();
    let x = tape.var(2.0).named("x");
    let y = (x * 3.0).named("y");
    let expected = "\
digraph tape {
  rankdir=LR;
  node [shape=box, fontname=\"sans-serif\"];
  n0 [label=\"x\\n2\\nadjoint 36\", style=rounded];
  n1 [label=\"y = x·3\\n6\\nadjoint 12\"];
  n0 -> n1 [label=\"3\"];
  n2 [label=\"%2 = y·y\\n36\\nadjoint 1\"];
  n1 -> n2 [label=\"6\"];
  n1 -> n2 [label=\"6\"];
}
";
    assert_eq!((y * y).backward().dot().to_string(), expected);
}

#[test]
fn mermaid_has_values_adjoints_and_partials() {
    let tape = Tape::new();
    let x = tape.var(2.0).named("x");
    let y = (x * 3.0).named("y");
    let expected = "\
flowchart LR
  n0([\"x<br/>2<br/>adjoint 3\"])
  n1[\"y = x·3<br/>6<br/>adjoint 1\"]
  n0 -->|\"3\"| n1
";
    assert_eq!(y.backward().mermaid().to_string(), expected);
}

/// DOT as far as we write it: words, arrows, quoted texts, lists in brackets.
fn check_dot(text: &str) -> usize {
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("digraph tape {"));
    assert_eq!(text.lines().last(), Some("}"));
    let mut statements = 0;
    for line in lines.take_while(|line| *line != "}") {
        let (mut quoted, mut escaped, mut depth, mut plain) = (false, false, 0, String::new());
        for c in line.trim().chars() {
            match c {
                _ if escaped => escaped = false,
                '\\' if quoted => escaped = true,
                '"' => quoted = !quoted,
                _ if quoted => {}
                '[' => depth += 1,
                ']' => depth -= 1,
                c => plain.push(c),
            }
        }
        assert!(!quoted && depth == 0 && line.ends_with(';'), "{line}");
        let allowed = |c: char| c.is_ascii_alphanumeric() || " ->=,;".contains(c);
        assert!(plain.chars().all(allowed), "{line}");
        statements += 1;
    }
    statements
}

#[test]
fn dot_is_well_formed_whatever_the_names() {
    let tape = Tape::new();
    let graph = article(&tape, true);
    assert_eq!(
        check_dot(&graph.loss.backward().dot().to_string()),
        2 + 22 + 23
    );
    let tape = Tape::new();
    assert_eq!(
        check_dot(&hostile(&tape).backward().dot().to_string()),
        2 + 9 + 8
    );
}

#[test]
fn a_hostile_name_breaks_no_format() {
    let tape = Tape::new();
    let adjoints = hostile(&tape).backward();
    let rows = HOSTILE.len() + 1;
    assert_eq!(adjoints.table().to_string().lines().count(), rows + 1);
    let listing = adjoints.listing().to_string();
    assert_eq!(listing.lines().count(), rows);
    assert!(listing.contains(r#"%"a \"quoted\" name" = add %0, 1"#));
    let mermaid = adjoints.mermaid().to_string();
    assert_eq!(mermaid.lines().count(), 1 + rows + HOSTILE.len());
    for line in mermaid.lines().skip(1) {
        assert!(matches!(line.matches('"').count(), 2), "{line}");
        let inside = line.split('"').nth(1).unwrap().replace("<br/>", "");
        let bad = |c: char| "<>|`\"{}[]&\\%".contains(c) || c.is_control();
        assert!(!inside.contains(bad), "{line}");
    }
    for text in [adjoints.table().to_string(), listing, mermaid] {
        let hidden =
            |c: char| c.is_control() && c != '\n' || "\u{202e}\u{2066}\u{fffe}\u{ffff}".contains(c);
        assert!(!text.contains(hidden));
    }
}

#[test]
fn a_large_tape_is_cut_and_says_what_was_left_out() {
    let tape = Tape::new();
    let mut x = tape.var(1.0);
    for _ in 1..1_000_000 {
        x = x.sin();
    }
    let adjoints = x.backward();
    let text = adjoints.table().to_string();
    assert_eq!(text.lines().count(), 1 + 1000 + 1);
    assert!(text.contains("⋮ 999000 of 1000000 nodes left out: %500 to %999499\n"));
    let text = adjoints.listing().limit(3).to_string();
    assert_eq!(text.lines().count(), 4);
    assert!(text.contains("; 999997 of 1000000 nodes left out: %2 to %999998\n"));
    let text = adjoints.dot().limit(10).to_string();
    assert!(text.contains("rest [label=\"999990 of 1000000 nodes left out: %0 to %999989\""));
    assert_eq!(check_dot(&text), 2 + 1 + 10 + 10);
    let text = adjoints.mermaid().limit(2).to_string();
    assert_eq!(text.lines().count(), 1 + 1 + 2 + 2);
    assert_eq!(tape.statistics().depth, 999_999);
}

#[test]
fn a_node_of_a_million_operands_takes_one_short_line() {
    let tape = Tape::new();
    let xs = tape.vars(&vec![1.0; 1_000_000]);
    let sum: Var<'_> = xs.iter().sum();
    let adjoints = sum.backward();
    for text in [
        adjoints.table().limit(1).to_string(),
        adjoints.listing().limit(1).to_string(),
        adjoints.dot().limit(1).to_string(),
        adjoints.mermaid().limit(1).to_string(),
    ] {
        assert!(text.len() < 1000, "{} bytes", text.len());
    }
    let last = adjoints.listing().limit(3).to_string();
    assert!(last.contains("%1000000 = sum %0, %1, %2, %3, %4, %5, %6, %7, … 999992 more"));
}

#[test]
fn upto_shows_nothing_recorded_later() {
    let tape = Tape::new();
    let graph = article(&tape, false);
    assert_eq!(tape.listing().upto(graph.z).to_string().lines().count(), 10);
    assert_eq!(graph.a.backward().listing().to_string().lines().count(), 11);
}

#[test]
fn digits_are_as_many_as_asked_for() {
    let tape = Tape::new();
    for value in [
        1.0 / 3.0,
        -2e-9,
        123_456.789,
        f64::NAN,
        f64::NEG_INFINITY,
        -0.0,
        1e300,
    ] {
        tape.var(value);
    }
    let values = |digits| {
        let table = tape.table().digits(digits).to_string();
        let last = |line: &str| line.split_whitespace().last().unwrap().to_owned();
        table.lines().skip(1).map(last).collect::<Vec<_>>()
    };
    assert_eq!(
        values(3),
        ["0.333", "-2e-9", "123457", "NaN", "-∞", "-0", "1e300"]
    );
    assert_eq!(values(8)[..3], ["0.33333333", "-2e-9", "123456.79"]);
}

#[test]
fn statistics_count_what_is_on_the_tape() {
    let tape = Tape::new();
    article(&tape, false);
    let found = tape.statistics();
    assert_eq!(
        (found.nodes, found.named, found.edges, found.constants),
        (19, 9, 20, 2)
    );
    // w1·x1, + w2·x2, + b, σ, 1 − a, ln, ·, +, −: nine in a row.
    assert_eq!((found.depth, found.width), (9, 6));
    // a and y go two ways; only L is used by none.
    assert_eq!((found.shared, found.most_shared, found.ends), (2, 2, 1));
    assert_eq!(found.bytes, 19 * 16 + 2 * 8);
    assert_eq!(
        found.operations[..3],
        [(Op::Input, 6), (Op::Mul, 4), (Op::Add, 3)]
    );
    assert!(
        found
            .to_string()
            .contains("depth                        9\n")
    );
    assert_eq!(Tape::new().statistics().nodes, 0);
}

#[test]
#[should_panic(expected = "the tape's values have changed since these adjoints were swept")]
fn adjoints_of_old_values_are_not_shown() {
    let tape = Tape::new();
    let x = tape.var(1.0);
    let adjoints = x.sin().backward();
    tape.set(x, 2.0);
    let _ = adjoints.table();
}

#[test]
fn an_empty_tape_and_a_constant_show_nothing() {
    let tape = Tape::new();
    assert_eq!(tape.listing().to_string(), "");
    assert_eq!(Var::from(1.0).backward().listing().to_string(), "");
    assert_eq!(tape.mermaid().to_string(), "flowchart LR\n");
}
