//! The story of the derivation, and the formulas that a person derives by hand.

use chainrule::Var;
use chainrule::inspect::Chapter;
use chainrule::models::derivation::Graph;
use chainrule::models::logistic::hand;

pub const TITLE: &str = "Where does dL/dw = (a − y)·x come from?";

pub const INTRODUCTION: &str = "\
Logistic regression on one row of data, as a graph. Forwards, each box computes its value from \
what is on its left. Backwards, each box receives its adjoint, the derivative of the loss L with \
respect to it, and passes it on, multiplied by the partial on the edge. That is the chain rule, \
and there is nothing else to it.";

/// The five components of the derivation, in their order, between the question and
/// the answer.
pub fn chapters(graph: &Graph<'_>) -> Vec<Chapter> {
    vec![
        question(),
        loss_by_a(graph),
        a_by_z(graph),
        loss_by_z(graph),
        z_by_w(graph),
        z_by_b(graph),
        answer(graph),
    ]
}

fn question() -> Chapter {
    Chapter::new("The question")
        .text(
            "A score z = w₁x₁ + w₂x₂ + b becomes a probability a = σ(z), and the loss \
             L = −(y·ln a + (1 − y)·ln(1 − a)) is small where a is near the label y. To make it \
             smaller, w and b are moved a little, against dL/dw and dL/db.",
        )
        .text(
            "Courses give the answer: (a − y)·x. It looks as if it fell from the sky. Where did \
             the logarithms go, and the exponential? They cancel, in five small steps. The engine \
             was told none of the formulas in its column. It knows the partial of each single \
             operation; everything else it multiplies and adds.",
        )
}

fn loss_by_a(graph: &Graph<'_>) -> Chapter {
    Chapter::new("1 · dL/da")
        .text(
            "Two paths lead from a to L: one through ln a, the other through ln(1 − a). What they \
             send back adds up.",
        )
        .text(
            "The derivative of ln a is 1/a, and it arrives multiplied by −y. The derivative of \
             ln(1 − a) is 1/(1 − a), with a further factor of −1 from the 1 − a inside, and it \
             arrives multiplied by −(1 − y): two minus signs, which cancel.",
        )
        .compare(
            "dL/da",
            [graph.loss, graph.a],
            hand::dl_da(graph.a, graph.y),
        )
}

fn a_by_z(graph: &Graph<'_>) -> Chapter {
    let chapter = Chapter::new("2 · da/dz");
    let Some(g) = graph.g else {
        return chapter
            .text(
                "Here σ is one node, and its partial is a(1 − a): a quarter where the model is \
                 undecided, and nearly nothing where it is sure.",
            )
            .text(
                "Its rule in the engine is a·σ(−z), which is the same, since 1 − σ(z) = σ(−z), \
                 and keeps its digits where a is nearly 1. The option --spelled-out of the program \
                 that wrote this page takes the node apart into four.",
            )
            .compare("da/dz", [graph.a, graph.z], hand::da_dz(graph.a));
    };
    chapter
        .text(
            "Here σ is spelled out: g = 1 + e⁻ᶻ and a = 1/g. The reciprocal has the partial \
             −1/g², and g moves by −e⁻ᶻ.",
        )
        .text(
            "Their product is e⁻ᶻ/g². Now e⁻ᶻ is g − 1, so this is (1/g)·(1 − 1/g), which is \
             a(1 − a).",
        )
        .compare("da/dg", [graph.a, g], hand::da_dg(g))
        .compare("dg/dz", [g, graph.z], hand::dg_dz(graph.z))
        .compare("da/dz", [graph.a, graph.z], hand::da_dz(graph.a))
}

fn loss_by_z(graph: &Graph<'_>) -> Chapter {
    Chapter::new("3 · dL/dz")
        .text("The chain rule: dL/dz = dL/da · da/dz. Now the two meet.")
        .text(
            "a(1 − a) times (1 − y)/(1 − a) leaves a(1 − y). a(1 − a) times y/a leaves y(1 − a). \
             Their difference is a − ay − y + ay, and that is a − y. This is where the logarithms \
             and the exponential go: each takes away what the other brought. What is left is the \
             error of the model.",
        )
        .compare(
            "dL/dz",
            [graph.loss, graph.z],
            hand::dl_dz(graph.a, graph.y),
        )
}

fn z_by_w(graph: &Graph<'_>) -> Chapter {
    let chapter = Chapter::new("4 · dz/dw").text(
        "z is a sum of products. Each weight occurs in one of them, multiplied by its feature, \
         and that feature is the partial. Sums pass on what they receive unchanged.",
    );
    let each = graph.parameters.w.iter().zip(&graph.x).enumerate();
    each.fold(chapter, |chapter, (i, (&w, &x))| {
        chapter.compare(&format!("dz/dw{}", i + 1), [graph.z, w], x)
    })
}

fn z_by_b(graph: &Graph<'_>) -> Chapter {
    Chapter::new("5 · dz/db")
        .text("b is added as it is. If it grows by a little, z grows by as much.")
        .compare("dz/db", [graph.z, graph.parameters.b], Var::from(1.0))
}

fn answer(graph: &Graph<'_>) -> Chapter {
    let chapter = Chapter::new("The answer").text(
        "All factors along the path, multiplied: dL/dw = dL/dz · dz/dw = (a − y)·x, and \
         dL/db = dL/dz · 1 = a − y. An error, times what it was made with. With many rows of data \
         these are averaged, and that is all that training does.",
    );
    let error = || hand::dl_dz(graph.a, graph.y);
    let each = graph.parameters.w.iter().zip(&graph.x).enumerate();
    each.fold(chapter, |chapter, (i, (&w, &x))| {
        chapter.compare(&format!("dL/dw{}", i + 1), [graph.loss, w], error() * x)
    })
    .compare("dL/db", [graph.loss, graph.parameters.b], error())
}
