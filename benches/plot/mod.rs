//! A plot on logarithmic axes as SVG, for the documents.

use std::fmt::Write;
use std::fs;

/// One curve: what it is called, and its points.
pub struct Curve {
    pub name: String,
    pub points: Vec<(f64, f64)>,
}

/// What stands at the axes, and vertical lines with a text each.
pub struct Frame<'a> {
    pub x: &'a str,
    pub y: &'a str,
    pub marks: &'a [(f64, String)],
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 150.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = 50.0;
/// Told apart also without colour: each curve has its own dashes and name.
const STYLES: [(&str, &str); 5] = [
    ("#1f5fa8", "none"),
    ("#b8480a", "7 3"),
    ("#2b7a3b", "2 3"),
    ("#7a3b8f", "9 3 2 3"),
    ("#555555", "4 4"),
];

/// Whole powers of ten around all values.
fn range(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let least = values.clone().fold(f64::INFINITY, f64::min);
    let most = values.fold(0.0, f64::max);
    (least.log10().floor(), most.log10().ceil())
}

fn tick(power: i32) -> String {
    match power {
        -3..=3 => format!("{}", 10_f64.powi(power)),
        _ => format!("10<tspan dy=\"-5\" font-size=\"9\">{power}</tspan>"),
    }
}

/// The plot as the text of an SVG file.
pub fn svg(curves: &[Curve], frame: &Frame<'_>) -> String {
    let points = || curves.iter().flat_map(|curve| curve.points.iter());
    let (x0, x1) = range(points().map(|p| p.0));
    let (y0, y1) = range(points().map(|p| p.1));
    let at_x = |x: f64| LEFT + (x.log10() - x0) / (x1 - x0) * (WIDTH - LEFT - RIGHT);
    let at_y = |y: f64| HEIGHT - BOTTOM - (y.log10() - y0) / (y1 - y0) * (HEIGHT - TOP - BOTTOM);
    let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"12\" role=\"img\">\n\
         <title>{} over {}</title>\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\n",
        frame.y, frame.x
    );
    let mut put = |line: String| writeln!(text, "{line}").expect("a string");
    for power in x0 as i32..=x1 as i32 {
        let x = at_x(10_f64.powi(power));
        put(format!(
            "<path d=\"M{x:.1} {TOP}V{bottom}\" stroke=\"#dddddd\"/>\
             <text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            bottom + 18.0,
            tick(power)
        ));
    }
    for power in y0 as i32..=y1 as i32 {
        let y = at_y(10_f64.powi(power));
        put(format!(
            "<path d=\"M{LEFT} {y:.1}H{right}\" stroke=\"#dddddd\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 6.0,
            y + 4.0,
            tick(power)
        ));
    }
    for (x, name) in frame.marks {
        let x = at_x(*x);
        put(format!(
            "<path d=\"M{x:.1} {TOP}V{bottom}\" stroke=\"#999999\" stroke-dasharray=\"3 3\"/>\
             <text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\" fill=\"#555555\">{name}</text>",
            TOP - 8.0
        ));
    }
    for (curve, (colour, dashes)) in curves.iter().zip(STYLES.iter().cycle()) {
        let path: Vec<String> = curve
            .points
            .iter()
            .map(|(x, y)| format!("{:.1} {:.1}", at_x(*x), at_y(*y)))
            .collect();
        let end = curve.points.last().map_or(bottom, |last| at_y(last.1));
        put(format!(
            "<path d=\"M{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" \
             stroke-dasharray=\"{dashes}\"/>\
             <text x=\"{}\" y=\"{:.1}\" fill=\"{colour}\">{}</text>",
            path.join("L"),
            right + 6.0,
            end + 4.0,
            curve.name
        ));
    }
    put(format!(
        "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
        (LEFT + right) / 2.0,
        HEIGHT - 10.0,
        frame.x
    ));
    put(format!(
        "<text x=\"8\" y=\"{}\">{}</text>",
        TOP - 10.0,
        frame.y
    ));
    text.push_str("</svg>\n");
    text
}

/// The sizes in bytes of the caches for data of this processor, and their names.
pub fn caches() -> impl Iterator<Item = (f64, String)> {
    let read = |index: usize, what: &str| {
        let path = format!("/sys/devices/system/cpu/cpu0/cache/index{index}/{what}");
        fs::read_to_string(path).map(|text| text.trim().to_owned())
    };
    let cache = move |index| {
        let (level, kind) = (read(index, "level").ok()?, read(index, "type").ok()?);
        let size = read(index, "size").ok()?;
        let kilobytes: f64 = size.strip_suffix('K')?.parse().ok()?;
        (kind != "Instruction").then(|| (kilobytes * 1024.0, format!("L{level} {size}")))
    };
    (0..8).filter_map(cache)
}
