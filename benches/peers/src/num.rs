//! What the workloads ask of a number, and the numbers of each crate.

use num_traits::Float;
use std::cell::RefCell;
use std::rc::Rc;

/// A number that records what is done with it.
pub trait Num: Clone {
    fn add(&self, other: &Self) -> Self;
    fn sub(&self, other: &Self) -> Self;
    fn mul(&self, other: &Self) -> Self;
    fn div(&self, other: &Self) -> Self;
    /// self + c
    fn plus(&self, c: f64) -> Self;
    /// self · c
    fn times(&self, c: f64) -> Self;
    /// c − self
    fn from(&self, c: f64) -> Self;
    /// c / self
    fn under(&self, c: f64) -> Self;
    fn neg(&self) -> Self;
    fn exp(&self) -> Self;
    fn ln(&self) -> Self;
    fn sin(&self) -> Self;
    fn tanh(&self) -> Self;
    /// w·x + b by one node for w·x, where the crate has such a node.
    fn weighted(w: &[Self], x: &[f64], b: &Self) -> Self {
        w.iter()
            .zip(x)
            .fold(b.clone(), |z, (w, x)| z.add(&w.times(*x)))
    }
}

/// One line a method: `self` is `$x`, another number `$y`, a constant `$c`.
macro_rules! numbers {
    ([$($generics:tt)*] $type:ty, |$x:ident, $y:ident, $c:ident|
        $add:expr, $sub:expr, $mul:expr, $div:expr; $plus:expr, $times:expr, $from:expr, $under:expr;
        $neg:expr, $exp:expr, $ln:expr, $sin:expr, $tanh:expr; $($weighted:item)?
    ) => {
        impl<$($generics)*> Num for $type {
            #[inline(always)]
            fn add(&self, $y: &Self) -> Self { let $x = self; $add }
            #[inline(always)]
            fn sub(&self, $y: &Self) -> Self { let $x = self; $sub }
            #[inline(always)]
            fn mul(&self, $y: &Self) -> Self { let $x = self; $mul }
            #[inline(always)]
            fn div(&self, $y: &Self) -> Self { let $x = self; $div }
            #[inline(always)]
            fn plus(&self, $c: f64) -> Self { let $x = self; $plus }
            #[inline(always)]
            fn times(&self, $c: f64) -> Self { let $x = self; $times }
            #[inline(always)]
            fn from(&self, $c: f64) -> Self { let $x = self; $from }
            #[inline(always)]
            fn under(&self, $c: f64) -> Self { let $x = self; $under }
            #[inline(always)]
            fn neg(&self) -> Self { let $x = self; $neg }
            #[inline(always)]
            fn exp(&self) -> Self { let $x = self; $exp }
            #[inline(always)]
            fn ln(&self) -> Self { let $x = self; $ln }
            #[inline(always)]
            fn sin(&self) -> Self { let $x = self; $sin }
            #[inline(always)]
            fn tanh(&self) -> Self { let $x = self; $tanh }
            $($weighted)?
        }
    };
}

numbers! { ['t] chainrule::Var<'t>, |x, y, c|
    *x + *y, *x - *y, *x * *y, *x / *y; *x + c, *x * c, c - *x, c / *x;
    -*x, chainrule::Var::exp(*x), chainrule::Var::ln(*x), chainrule::Var::sin(*x),
    chainrule::Var::tanh(*x);
    #[inline(always)]
    fn weighted(w: &[Self], x: &[f64], b: &Self) -> Self {
        chainrule::Var::linear_combination(x, w, 0.0) + *b
    }
}

// Its f64 / Var has a wrong derivative.
numbers! { ['t] reverse::Var<'t>, |x, y, c|
    *x + *y, *x - *y, *x * *y, *x / *y; *x + c, *x * c, c - *x, c * x.recip();
    -*x, reverse::Var::exp(x), reverse::Var::ln(x), reverse::Var::sin(x), reverse::Var::tanh(x);
}

use xad_rs::math::ad;
numbers! { [] xad_rs::AReal<f64>, |x, y, c|
    x + y, x - y, x * y, x / y; x + c, x * c, c - x, c / x;
    -x, ad::exp(x), ad::ln(x), ad::sin(x), ad::tanh(x);
    #[inline(always)]
    fn weighted(w: &[Self], x: &[f64], b: &Self) -> Self {
        &ad::weighted_sum(x, w) + b
    }
}

numbers! { [] echidna::Reverse<f64>, |x, y, c|
    *x + *y, *x - *y, *x * *y, *x / *y; *x + c, *x * c, c - *x, c / *x;
    -*x, Float::exp(*x), Float::ln(*x), Float::sin(*x), Float::tanh(*x);
}

numbers! { [] echidna::BReverse<f64>, |x, y, c|
    *x + *y, *x - *y, *x * *y, *x / *y; *x + c, *x * c, c - *x, c / *x;
    -*x, Float::exp(*x), Float::ln(*x), Float::sin(*x), Float::tanh(*x);
}

/// A node of a graph of `petite-ad`, which is built once and replayed.
#[derive(Clone)]
pub struct Petite(pub Rc<RefCell<petite_ad::Graph>>, pub petite_ad::NodeId);

impl Petite {
    fn node(&self, f: impl FnOnce(&mut petite_ad::Graph) -> petite_ad::NodeId) -> Self {
        let id = f(&mut self.0.borrow_mut());
        Self(self.0.clone(), id)
    }

    fn constant(&self, c: f64) -> petite_ad::NodeId {
        self.0.borrow_mut().constant(c)
    }
}

numbers! { [] Petite, |x, y, c|
    x.node(|g| g.add(x.1, y.1)), x.node(|g| g.sub(x.1, y.1)),
    x.node(|g| g.mul(x.1, y.1)), x.node(|g| g.div(x.1, y.1));
    { let c = x.constant(c); x.node(|g| g.add(x.1, c)) },
    { let c = x.constant(c); x.node(|g| g.mul(x.1, c)) },
    { let c = x.constant(c); x.node(|g| g.sub(c, x.1)) },
    { let c = x.constant(c); x.node(|g| g.div(c, x.1)) };
    x.node(|g| g.neg(x.1)), x.node(|g| g.exp(x.1)), x.node(|g| g.ln(x.1)),
    x.node(|g| g.sin(x.1)), x.node(|g| g.tanh(x.1));
}
