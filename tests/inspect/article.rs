//! The article's graph, with all of x, y, w and b as named inputs.

use chainrule::{Tape, Var};

/// The nodes that have names.
#[derive(Clone, Copy)]
pub struct Article<'t> {
    pub w: [Var<'t>; 2],
    pub b: Var<'t>,
    pub x: [Var<'t>; 2],
    pub y: Var<'t>,
    pub z: Var<'t>,
    pub a: Var<'t>,
    pub loss: Var<'t>,
}

/// Records it, with σ as one node or spelled out as 1/(1 + e^{−z}).
pub fn article(tape: &Tape, spelled_out: bool) -> Article<'_> {
    let named = |(name, value)| tape.var(value).named(name);
    let w = [("w1", 0.4), ("w2", -0.3)].map(named);
    let b = named(("b", 0.1));
    let x = [("x1", 1.5), ("x2", -2.0)].map(named);
    let y = named(("y", 1.0));
    let z = (w[0] * x[0] + w[1] * x[1] + b).named("z");
    let a = if spelled_out {
        ((-z).exp() + 1.0).named("g").recip()
    } else {
        z.sigmoid()
    };
    a.named("a");
    let loss = -(y * a.ln() + (1.0 - y) * (1.0 - a).ln());
    loss.named("L");
    Article {
        w,
        b,
        x,
        y,
        z,
        a,
        loss,
    }
}

/// Names that no format may stumble over.
pub const HOSTILE: [&str; 8] = [
    "a \"quoted\" name",
    "<script>alert(1)</script>",
    "two\nlines",
    "a|b",
    "`back` ticks",
    "back\\slash & {0} #35; %1",
    "]]> --> </style>",
    "\u{202e}\u{7}\0\u{2066}\u{fffe}\u{ffff}",
];

/// A tape whose nodes have hostile names: x + 1, ln of that …, a chain.
pub fn hostile(tape: &Tape) -> Var<'_> {
    HOSTILE
        .iter()
        .fold(tape.var(0.5), |x, name| (x + 1.0).named(name))
}
