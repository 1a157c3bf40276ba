//! A tiny reverse-mode automatic-differentiation engine.

#![deny(unreachable_pub)]

mod adjoints;
mod closures;
mod dual;
mod error;
mod math;
pub mod models;
mod ops;
mod sweep;
mod tape;
mod var;

pub use adjoints::{Adjoints, Share, SweptNode, derivative};
pub use closures::{grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp};
pub use dual::Dual;
pub use error::Error;
pub use ops::{Notation, Op, Real};
pub use tape::{Node, NodeId, Operand, Tape};
pub use var::Var;
