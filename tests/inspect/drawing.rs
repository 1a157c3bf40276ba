//! Is a drawing of the article's graph one that a person would accept: no two edges
//! cross, no two nodes overlap, no edge runs through a node? And is the picture in
//! the documents what the crate draws?

use crate::article::{HOSTILE, article, hostile};
use crate::common::Random;
use crate::common::on_a_small_stack;
use chainrule::models::derivation::Graph;
use chainrule::models::logistic::Form;
use chainrule::{Tape, inspect};
use std::fs;
use std::path::Path;
use std::process::Command;

type Point = (f64, f64);

/// The number after each occurrence of a mark.
fn numbers<'a>(text: &'a str, mark: &str) -> impl Iterator<Item = f64> + 'a {
    let mark = mark.to_owned();
    text.match_indices(&mark)
        .map(|(at, mark)| &text[at + mark.len()..])
        .map(|rest| rest[..rest.find('"').unwrap()].parse().unwrap())
        .collect::<Vec<_>>()
        .into_iter()
}

/// x, y, width and height of each node.
fn boxes(svg: &str) -> Vec<[f64; 4]> {
    let rows = svg
        .lines()
        .filter(|line| line.starts_with("<rect class=\"box\""));
    rows.map(|line| {
        [" x=\"", " y=\"", " width=\"", " height=\""]
            .map(|mark| numbers(line, mark).next().unwrap())
    })
    .collect()
}

/// Each edge as a chain of short straight pieces.
fn wires(svg: &str) -> Vec<Vec<Point>> {
    let mark = " d=\"";
    svg.match_indices(mark)
        .map(|(at, _)| &svg[at + mark.len()..])
        .map(|rest| flattened(&rest[..rest.find('"').unwrap()]))
        .collect()
}

fn flattened(path: &str) -> Vec<Point> {
    let mut points = Vec::new();
    let mut commands = path.split_inclusive(['M', 'H', 'C']);
    let mut command = commands.next().unwrap().chars().last();
    for text in commands {
        let arguments: Vec<f64> = text
            .trim_end_matches(['M', 'H', 'C'])
            .split_whitespace()
            .map(|number| number.parse().unwrap())
            .collect();
        match (command, &arguments[..]) {
            (Some('M'), &[x, y]) => points.push((x, y)),
            (Some('H'), &[x]) => {
                let (x0, y) = points[points.len() - 1];
                let step = |i: u32| x0 + (x - x0) * f64::from(i) / 8.0;
                points.extend((1..=8).map(|i| (step(i), y)));
            }
            (Some('C'), &[x1, y1, x2, y2, x, y]) => {
                let (x0, y0) = points[points.len() - 1];
                for i in 1..=24 {
                    let t = f64::from(i) / 24.0;
                    let s = 1.0 - t;
                    let at = |a: f64, b: f64, c: f64, d: f64| {
                        s * s * s * a + 3.0 * s * s * t * b + 3.0 * s * t * t * c + t * t * t * d
                    };
                    points.push((at(x0, x1, x2, x), at(y0, y1, y2, y)));
                }
            }
            other => panic!("{other:?} in {path}"),
        }
        command = text.chars().last();
    }
    points
}

/// Whether two pieces cross: each has its ends on both sides of the other.
fn cross(a: [Point; 2], b: [Point; 2]) -> bool {
    let side = |p: Point, q: Point, r: Point| (q.0 - p.0) * (r.1 - p.1) - (q.1 - p.1) * (r.0 - p.0);
    let apart =
        |l: [Point; 2], m: [Point; 2]| side(l[0], l[1], m[0]) * side(l[0], l[1], m[1]) < -1e-9;
    apart(a, b) && apart(b, a)
}

fn crossings(wires: &[Vec<Point>]) -> usize {
    let pieces = |wire: &[Point]| wire.windows(2).map(|p| [p[0], p[1]]).collect::<Vec<_>>();
    let mut found = 0;
    for (i, first) in wires.iter().enumerate() {
        for second in &wires[i + 1..] {
            // Edges from one node begin on one trunk, which is no crossing.
            let crossed = pieces(first)
                .iter()
                .any(|a| pieces(second).iter().any(|b| cross(*a, *b)));
            found += usize::from(crossed && first[0] != second[0]);
        }
    }
    found
}

fn picture(form: Form) -> String {
    let tape = Tape::new();
    let graph = Graph::record(&tape, &[1.5, -2.0], &[0.4, -0.3], 0.1, 1.0, form).unwrap();
    let adjoints = graph.loss.backward();
    adjoints
        .svg()
        .group("input", &[&graph.x[..], &[graph.y]].concat())
        .group("parameter", &graph.parameters.all())
        .to_string()
}

#[test]
fn the_articles_graph_is_drawn_without_crossings_and_overlaps() {
    for (form, nodes, edges) in [(Form::Sigmoid, 19, 20), (Form::SpelledOut, 22, 23)] {
        let svg = picture(form);
        let (boxes, wires) = (boxes(&svg), wires(&svg));
        assert_eq!((boxes.len(), wires.len()), (nodes, edges));
        assert_eq!(crossings(&wires), 0);
        for (i, [x, y, w, h]) in boxes.iter().enumerate() {
            for [x2, y2, w2, h2] in &boxes[i + 1..] {
                let apart = x + w <= *x2 || x2 + w2 <= *x || y + h <= *y2 || y2 + h2 <= *y;
                assert!(apart, "two nodes overlap");
            }
            let inside =
                |(px, py): &Point| *px > x + 1.0 && *px < x + w - 1.0 && *py > *y && *py < y + h;
            assert!(
                !wires.iter().flatten().any(inside),
                "an edge runs through a node"
            );
        }
        // From left to right.
        assert!(
            wires
                .iter()
                .all(|wire| wire.windows(2).all(|p| p[0].0 <= p[1].0))
        );
    }
}

#[test]
fn no_edge_runs_through_a_node_however_wide_its_neighbours_are() {
    let mut random = Random(3);
    for _ in 0..100 {
        let tape = Tape::new();
        let mut nodes = tape.vars(&vec![0.5; 1 + random.below(6)]);
        for i in 0..random.below(40) {
            let near = nodes.len().saturating_sub(1 + random.below(5));
            let (a, b) = (nodes[near], nodes[random.below(nodes.len())]);
            let node = match random.below(4) {
                0 => a.sin(),
                1 => a * b,
                2 => [a, b, a * 2.0, b].into_iter().sum(),
                _ => a - tape.var(0.5),
            };
            if random.below(3) == 0 {
                node.named(&format!("{} {i}", "wide ".repeat(random.below(5))));
            }
            nodes.push(node);
        }
        let svg = tape.svg().to_string();
        let boxes = boxes(&svg);
        for point in wires(&svg).iter().flatten() {
            let inside = |[x, y, w, h]: &[f64; 4]| {
                let across = point.0 > x + 1.0 && point.0 < x + w - 1.0;
                across && point.1 > *y && point.1 < y + h
            };
            assert!(!boxes.iter().any(inside), "an edge runs through a node");
        }
    }
}

#[test]
fn the_check_for_crossings_can_fail() {
    let wires = [vec![(0.0, 0.0), (9.0, 9.0)], vec![(0.0, 9.0), (9.0, 0.0)]];
    assert_eq!(crossings(&wires), 1);
}

#[test]
fn a_picture_shows_values_partials_and_adjoints() {
    let svg = picture(Form::Sigmoid);
    for text in [
        "a = σ(z)",
        "0.7858",
        "∂ −1.273",
        "×0.1683",
        "w₁",
        "parameter",
        ">z</text>",
    ] {
        assert!(svg.contains(text), "{text}");
    }
    assert!(svg.contains("prefers-color-scheme:dark"));
    assert_eq!(svg, picture(Form::Sigmoid), "the same each time");
}

/// The picture without its style, as a renderer that knows none draws it, and the style.
fn without_style(svg: &str) -> (String, &str) {
    let (before, rest) = svg.split_once("<style>").unwrap();
    let (style, after) = rest.split_once("</style>").unwrap();
    (format!("{before}{after}"), style)
}

#[test]
fn a_picture_has_its_colours_without_style_sheets_and_variables() {
    let svg = picture(Form::Sigmoid);
    let (bare, style) = without_style(&svg);
    let text_is_ink = bare.contains("<g class=\"ink\" fill=\"#22262b\"");
    assert!(text_is_ink, "what has no colour of its own has that of ink");
    for tag in bare.split('<').filter(|tag| tag.contains("class=")) {
        let filled = tag.contains(" fill=\"#") || tag.contains(" fill=\"none\" stroke=\"#");
        let own = filled || tag.contains("class=\"t\"") || tag.contains("class=\"v\"");
        assert!(own, "black where there is no style: <{tag}");
        let sized = !tag.starts_with("text") || tag.contains(" font-size=\"");
        assert!(sized, "of any size where there is no style: <{tag}");
    }
    let (light, dark) = style
        .split_once("@media(prefers-color-scheme:dark)")
        .unwrap();
    assert!(!light.contains("fill") && !light.contains("stroke") && !style.contains("var("));
    for class in ["paper", "ink", "area", "box", "wire", "d", "p", "k", "n"] {
        assert!(svg.contains(&format!("class=\"{class}\"")), "{class}");
        assert!(
            dark.contains(&format!(".{class}")),
            "{class} follows the theme"
        );
    }
}

#[test]
fn the_picture_in_the_documents_is_what_the_crate_draws() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/derivation.svg");
    let drawn = picture(Form::Sigmoid);
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &drawn).unwrap();
    }
    let kept = fs::read_to_string(path).unwrap();
    assert!(
        kept == drawn,
        "draw it again: BLESS=1 cargo test --test inspect drawing"
    );
}

/// XML as far as we write it: tags that close, attributes between quotation marks.
fn check_xml(text: &str) {
    let mut open = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        assert!(!rest[..at].contains('>'));
        let end = rest.find('>').unwrap();
        let tag = &rest[at + 1..end];
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        let name = |tag: &str| tag.split([' ', '/']).next().unwrap().to_owned();
        match tag.strip_prefix('/') {
            Some(closed) => assert_eq!(open.pop().as_deref(), Some(closed)),
            None if tag.ends_with('/') => {}
            None => open.push(name(tag)),
        }
        rest = &rest[end + 1..];
    }
    assert!(open.is_empty(), "{open:?}");
    for (at, _) in text.match_indices('&') {
        let known = [
            "&amp;", "&lt;", "&gt;", "&quot;", "&#39;", "&#8289;", "&#160;",
        ];
        assert!(known.iter().any(|entity| text[at..].starts_with(entity)));
    }
    let allowed =
        |c| matches!(c, '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    let forbidden = text.chars().find(|c| !allowed(*c));
    assert_eq!(forbidden, None, "XML 1.0 does not allow it");
}

#[test]
fn pictures_and_pages_are_well_formed_whatever_the_names() {
    check_xml(&picture(Form::SpelledOut));
    let tape = Tape::new();
    let output = hostile(&tape);
    let adjoints = output.backward();
    let inputs = [tape.nodes().next().map(|node| tape.at(node.id)).unwrap()];
    check_xml(&adjoints.svg().group(HOSTILE[0], &inputs).to_string());
    check_xml(&output.formula().mathml());
    let page = inspect::html(&adjoints).title(HOSTILE[1]).to_string();
    assert_eq!(
        page.matches("<script").count(),
        2,
        "the data and the program"
    );
    assert_eq!(page.matches("</script").count(), 2);
    assert_eq!(page.matches("</style").count(), 1);
}

#[test]
fn no_character_of_a_name_makes_svg_or_mathml_malformed() {
    let outside = (0xfff0..0x10010)
        .chain(0x2060..0x2070)
        .filter_map(char::from_u32);
    for c in ('\0'..'\u{a0}').chain(outside) {
        let tape = Tape::new();
        let x = tape.var(0.5).named(&format!("a{c}"));
        let y = x.sin().named(&format!("b_{c}{c}"));
        check_xml(&tape.svg().group(&format!("{c}"), &[x]).to_string());
        check_xml(&y.formula().mathml());
        let latex = y.formula().latex();
        assert!(!latex.contains(char::is_control), "{latex:?}");
    }
}

#[test]
fn a_page_fetches_nothing_and_is_small() {
    let tape = Tape::new();
    let graph = article(&tape, true);
    let page = graph.loss.backward().html().to_string();
    assert!(page.len() < 300_000, "{} bytes", page.len());
    for outside in [
        "src=",
        "@import",
        "url(",
        "fetch(",
        "XMLHttpRequest",
        "href=\"h",
    ] {
        assert!(!page.contains(outside), "{outside}");
    }
    // An address only as the name of a language.
    let addresses: Vec<_> = page
        .match_indices("http")
        .map(|(at, _)| &page[at..at + 26])
        .collect();
    assert_eq!(addresses, ["http://www.w3.org/2000/svg"]);
}

#[test]
fn a_deep_tape_is_shown_on_a_small_stack() {
    on_a_small_stack(|| {
        let tape = Tape::new();
        let mut x = tape.var(1.0);
        for _ in 1..200_000 {
            x = x.sin();
        }
        let adjoints = x.backward();
        let texts = [
            adjoints.table().to_string(),
            adjoints.listing().to_string(),
            adjoints.dot().to_string(),
            adjoints.mermaid().to_string(),
            adjoints.svg().limit(2000).to_string(),
            adjoints.html().limit(2000).to_string(),
            tape.statistics().to_string(),
        ];
        assert!(texts.iter().all(|text| !text.is_empty()));
    });
}

#[test]
fn a_large_tape_is_cut_and_a_tape_that_nobody_swept_is_drawn() {
    let tape = Tape::new();
    let mut x = tape.var(1.0);
    for _ in 1..100_000 {
        x = x.sin();
    }
    let svg = x.backward().svg().limit(50).to_string();
    assert_eq!(boxes(&svg).len(), 51);
    assert!(svg.contains(">99949 nodes left out<"));
    let page = tape.html().limit(100).to_string();
    assert!(page.contains("\"left_out\":99900"));
    assert_eq!(boxes(&tape.svg().limit(10).to_string()).len(), 11);
    assert!(Tape::new().html().to_string().ends_with("</html>\n"));
}

/// Prints what a notebook would show, for the test below to read.
#[test]
fn show_in_a_notebook() {
    let tape = Tape::new();
    let x = tape.var(2.0).named("x<y");
    tape.evcxr_display();
    x.sin().backward().evcxr_display();
}

#[test]
fn a_tape_and_a_gradient_show_themselves_in_a_notebook() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "drawing::show_in_a_notebook"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        text.matches("EVCXR_BEGIN_CONTENT text/html\n<svg").count(),
        2
    );
    assert_eq!(text.matches("</pre>\nEVCXR_END_CONTENT\n").count(), 2);
    assert!(text.contains("x&lt;y") && !text.contains("x<y"));
    assert!(text.contains("∂ 1"));
}
