//! A tiny reverse-mode automatic-differentiation engine that shows the chain
//! rule.
//!
//! A [`Tape`] records a computation as a graph of scalar operations; sweeping it
//! backwards gives every node its *adjoint*, the derivative of the output with
//! respect to it. Expressions are ordinary Rust:
//!
//! ```
//! use chainrule::Tape;
//!
//! let tape = Tape::new();
//! let w1 = tape.var(0.4).named("w1");
//! let w2 = tape.var(-0.3).named("w2");
//! let b = tape.var(0.1).named("b");
//! let (x1, x2, y) = (1.5, -2.0, 1.0); // data: plain f64
//!
//! let z = (w1 * x1 + w2 * x2 + b).named("z");
//! let a = z.sigmoid().named("a");
//! let loss = -(y * a.ln() + (1.0 - y) * (1.0 - a).ln());
//!
//! let grad = loss.backward(); // adjoints of all nodes
//! # let near = |u: f64, v: f64| assert!((u - v).abs() < 1e-15, "{u} {v}");
//! # let (av, zv) = (a.value(), z.value());
//! # near(grad.wrt(w1), (av - y) * x1); near(grad.wrt(z), av - y); near(a.partial(z), av * (1.0 - av));
//! grad.wrt(w1); // dL/dw1 = (a − y)·x1
//! grad.wrt(z); // dL/dz = a − y: intermediates too
//! a.partial(z); // da/dz = a(1 − a): one edge of the graph
//! grad.node(a); // name, op, value, adjoint, operands, partials, consumers
//! ```
//!
//! # The tour
//!
//! **Record.** [`Tape::var`] makes an input, [`Tape::vars`] and
//! [`Tape::var_array`] several. A [`Var`] is a `Copy` handle with
//! the operators and functions of `f64` that have slopes; `f64` stands on either side of an operator and
//! never becomes a node. `iter.sum()`, [`Var::dot`], [`Var::linear_combination`]
//! and [`Var::log_sum_exp`] record one node for any number of operands.
//!
//! **Sweep.** [`Var::backward`] returns [`Adjoints`]. The tape keeps no
//! gradients, so nothing adds up between sweeps. [`derivative`] works between
//! any two nodes, [`Tape::backward_with`] from several outputs at once.
//!
//! **Again.** [`Tape::set`] and [`Tape::forward`] evaluate the recording at
//! another point; [`Tape::clear`] starts over in the same memory. A [`Function`]
//! is a recording frozen for this: immutable, shared between threads, and it
//! never follows a branch that would no longer be taken.
//!
//! **Many rows.** A function with [`columns`](Tape::column) runs over [`Rows`] of
//! data, many at a time: sums, means, gradients, Hessians, predictions.
//!
//! **Higher.** [`Var::gradient_graph`] records the gradient on the tape, to be
//! differentiated further; [`Var::hessian`] and [`Var::hvp`] are exact.
//!
//! **Without a tape in hand.** [`grad`], [`hessian`], [`jacobian`], [`jvp`],
//! [`vjp`] take closures.
//!
//! **Once for all numbers.** A function over [`Real`] runs on `f64`, on [`Dual`]
//! and on `Var`:
//!
//! ```
//! use chainrule::{Real, grad};
//!
//! fn rosenbrock<T: Real>(x: &[T]) -> T {
//!     x.windows(2).map(|p| (p[1] - p[0].square()).square() * 100.0 + (-p[0] + 1.0).square()).sum()
//! }
//!
//! assert_eq!(rosenbrock(&[0.0, 0.0]), 1.0);
//! assert_eq!(grad(|x| rosenbrock(x), &[0.0, 0.0]), [-2.0, 0.0]);
//! ```
//!
//! # How it is made
//!
//! An operation is one row of one table: name, value, partials, how it prints.
//! The partials are written once, generic over [`Real`], with operations of the
//! same table. So one row is read as values, as adjoints, as forward mode, as
//! gradients of gradients. [`Op::ALL`] lists the rows.
//!
//! # When something is wrong
//!
//! Mathematics never panics: ln(−1) is NaN and flows on. Data that does not fit
//! is an [`Error`] and leaves everything as it was. A bug of the caller, such as
//! operands of two tapes, panics at the caller's line, in release builds too.

#![forbid(unsafe_code)]
#![deny(unreachable_pub)]

mod check;
mod compile;
mod dual;
mod error;
mod execute;
mod formula;
mod function;
mod graph;
pub mod inspect;
mod math;
pub mod models;
mod ops;
mod registers;
mod sweep;
mod tape;

pub use check::{GradientCheck, check_gradient};
pub use dual::Dual;
pub use error::{Error, NonFinite};
pub use formula::{Formula, WithLets};
pub use function::{Column, Freeze, Function, Pass, Recorder, Rows, Stats, Workspace};
pub use graph::{NodeId, Operand};
pub use inspect::{ExplainedEdge, ExplainedPath, Explanation, explain};
pub use ops::{Notation, Op, Real};
pub use tape::{
    Adjoints, Node, Share, SweptNode, Tape, Var, derivative, grad, hessian, hvp, jacobian, jvp,
    value_and_grad, vjp,
};

/// The README's examples, so that they are tested.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeDocument;

/// The derivation's examples, likewise.
#[cfg(doctest)]
#[doc = include_str!("../docs/derivation.md")]
struct DerivationDocument;
