//! What is done with a row of the table.
//!
//! `table.rs` is the table and `real.rs` the vocabulary its rows are written
//! in; each is made of the other, so they are one module. Here is the one macro
//! that reads rows: `op` makes the [`Op`]s with their values, partials and
//! print forms; `methods` the named methods of a number type; `operators` its
//! `+ − · /`.

mod real;
mod table;

pub use real::Real;
pub(crate) use real::{ABSENT, flatten, is_absent};
pub(crate) use table::table;

use crate::error::{Error, expect_length};
use crate::math;
use std::f64::consts::{FRAC_2_SQRT_PI, LN_2, LOG2_E, LOG10_E};
use std::fmt;

/// How an operation is written. The number is how strongly it binds, from 1
/// (sums) to 9 (atoms).
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Notation {
    /// `name(a, b, …)`
    Call(&'static str),
    /// `symbol a`
    Prefix(&'static str, u8),
    /// `a symbol b symbol …`
    Infix(&'static str, u8),
    /// A text in which `{0}`, `{1}` … stand for the operands.
    Template(&'static str, u8),
}
use Notation::{Call, Infix, Prefix, Template};

/// What a row says of an operation besides its mathematics.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    name: &'static str,
    notation: Notation,
    /// One interval for each operand; for n-ary operations as many as tests sample.
    samples: &'static [(f64, f64)],
    arity: Option<usize>,
}

macro_rules! expand {
    // The operations themselves.
    (@op
        prefix { $($(#[$pm:meta])* $P:ident $p:ident $ptrait:tt $pbody:tt)* }
        infix { $($(#[$im:meta])* $I:ident $i:ident $itrait:tt $ibody:tt)* }
        unary { $($(#[$um:meta])* $U:ident $u:ident $ubody:tt)* }
        binary { $($(#[$bm:meta])* $B:ident $b:ident $bargs:tt $bbody:tt)* }
        nary { $($(#[$nm:meta])* $N:ident $n:ident $nargs:tt => $nxs:tt, $ncs:tt $nbody:tt)* }
        forms { $($forms:tt)* }
    ) => {
        /// An operation: a row of the table, or the leaf.
        ///
        #[doc = include_str!("../../docs/kinks.md")]
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum Op {
            /// A leaf whose value the user gives.
            Input,
            $($(#[$pm])* $P,)*
            $($(#[$im])* $I,)*
            $($(#[$um])* $U,)*
            $($(#[$bm])* $B,)*
            $($(#[$nm])* $N,)*
        }

        impl Op {
            /// Every row of the table, in its order; `Input`, the leaf, is no row.
            pub const ALL: &'static [Op] =
                &[$(Op::$P,)* $(Op::$I,)* $(Op::$U,)* $(Op::$B,)* $(Op::$N,)*];

            fn row(self) -> Row {
                match self {
                    Op::Input => expand!(@row input, Some(0), { Call("input"), on [], }),
                    $(Op::$P => expand!(@row $p, Some(1), $pbody),)*
                    $(Op::$I => expand!(@row $i, Some(2), $ibody),)*
                    $(Op::$U => expand!(@row $u, Some(1), $ubody),)*
                    $(Op::$B => expand!(@row $b, Some(2), $bbody),)*
                    $(Op::$N => expand!(@row $n, None, $nbody),)*
                }
            }

            /// Whether it picks one of its operands, so that a partial of zero
            /// means "not taken".
            #[inline]
            pub fn is_branch(self) -> bool {
                match self {
                    $(Op::$U => expand!(@branch $ubody),)*
                    $(Op::$B => expand!(@branch $bbody),)*
                    $(Op::$N => expand!(@branch $nbody),)*
                    _ => false,
                }
            }

            #[inline(always)]
            #[track_caller]
            pub(crate) fn value_1(self, x: f64) -> f64 {
                match self {
                    $(Op::$P => expand!(@value x, $pbody),)*
                    $(Op::$U => expand!(@value x, $ubody),)*
                    _ => self.wrong_arity(1),
                }
            }

            #[inline(always)]
            #[track_caller]
            pub(crate) fn value_2(self, a: f64, b: f64) -> f64 {
                match self {
                    $(Op::$I => expand!(@value (a, b), $ibody),)*
                    $(Op::$B => expand!(@value (a, b), $bbody),)*
                    _ => self.wrong_arity(2),
                }
            }

            #[inline]
            #[track_caller]
            pub(crate) fn value_n(self, n: usize, x: impl Fn(usize) -> f64, c: &[f64]) -> f64 {
                match self {
                    $(Op::$N => expand!(@value (n, x, c), $nbody),)*
                    _ => self.wrong_arity(n),
                }
            }

            /// Whether it takes `n` operands, and `c` constants of its own, in a list.
            pub(crate) fn takes(self, n: usize, c: usize) -> bool {
                match self {
                    $(Op::$N => expand!(@takes (n, c), $nbody),)*
                    _ => false,
                }
            }

            /// The partial of an operation on one operand; `y` is the result.
            #[inline(always)]
            #[track_caller]
            pub(crate) fn partial_1<T: Real>(self, x: T, y: T) -> T {
                match self {
                    $(Op::$P => expand!(@partial (x, y), $pbody),)*
                    $(Op::$U => expand!(@partial (x, y), $ubody),)*
                    _ => self.wrong_arity(1),
                }
            }

            /// The partial with respect to the first of two operands.
            #[inline(always)]
            #[track_caller]
            pub(crate) fn partial_first<T: Real>(self, a: T, b: T, y: T) -> T {
                match self {
                    $(Op::$I => expand!(@first (a, b, y), $ibody),)*
                    $(Op::$B => expand!(@first (a, b, y), $bbody),)*
                    _ => self.wrong_arity(2),
                }
            }

            /// The partial with respect to the second of two operands.
            #[inline(always)]
            #[track_caller]
            pub(crate) fn partial_second<T: Real>(self, a: T, b: T, y: T) -> T {
                match self {
                    $(Op::$I => expand!(@second (a, b, y), $ibody),)*
                    $(Op::$B => expand!(@second (a, b, y), $bbody),)*
                    _ => self.wrong_arity(2),
                }
            }

            /// Calls `each` with the number and the partial of operand after operand.
            #[inline]
            #[track_caller]
            pub(crate) fn partials_n<T: Real>(
                self, n: usize, x: impl Fn(usize) -> T, c: &[f64], y: T,
                mut each: impl FnMut(usize, T),
            ) {
                match self {
                    $(Op::$N => expand!(@partials (n, &x, c, y, &mut each), $nbody),)*
                    _ => self.wrong_arity(n),
                }
            }
        }
    };

    // The named methods of a number type.
    (@methods [$vis:vis fn]
        prefix $prefix:tt
        infix $infix:tt
        unary { $($(#[$um:meta])* $U:ident $u:ident $ubody:tt)* }
        binary { $($(#[$bm:meta])* $B:ident $b:ident($barg:ident) $bbody:tt)* }
        nary { $($(#[$nm:meta])* $N:ident $n:ident $nargs:tt
            => [$($nxs:expr),*], [$($ncs:expr),*] $nbody:tt)* }
        forms { $($(#[$om:meta])* $o:ident $oargs:tt $obody:tt)* }
    ) => {
        $($(#[$um])* #[inline] #[track_caller] #[must_use]
        $vis fn $u(self) -> Self {
            <Self as $crate::Real>::unary($crate::Op::$U, self)
        })*
        $($(#[$bm])* #[inline] #[track_caller] #[must_use]
        $vis fn $b(self, $barg: impl Into<Self>) -> Self {
            <Self as $crate::Real>::binary($crate::Op::$B, self, $barg.into())
        })*
        $($(#[$nm])* #[inline] #[track_caller] #[must_use]
        $vis fn $n $nargs -> Self {
            <Self as $crate::Real>::nary($crate::Op::$N, &[$($nxs),*], &[$($ncs),*])
        })*
        $($(#[$om])* #[inline] #[track_caller] #[must_use]
        $vis fn $o $oargs -> Self $obody)*
    };

    // The operators of a number type.
    (@operators $generics:tt $type:ty,
        prefix { $($(#[$pm:meta])* $P:ident $p:ident [$PT:ident::$pt:ident] $pbody:tt)* }
        infix { $($(#[$im:meta])* $I:ident $i:ident [$IT:ident::$it:ident $AT:ident::$at:ident]
            $ibody:tt)* }
        $($rest:tt)*
    ) => {
        $($crate::ops::expand! { @prefix $generics $type, $P $PT $pt })*
        $($crate::ops::expand! { @infix $generics $type, $I $IT $it $AT $at })*
        $crate::ops::expand! { @fold $generics $type, Sum sum }
        $crate::ops::expand! { @fold $generics $type, Product product }
    };

    // What is in the body of a row.
    (@row $name:ident, $arity:expr,
        { $notation:expr, $(branch,)? on $samples:expr, $($rest:tt)* }
    ) => {
        Row { name: stringify!($name), notation: $notation, samples: &$samples, arity: $arity }
    };
    (@branch { $notation:expr, branch, $($rest:tt)* }) => { true };
    (@branch { $($rest:tt)* }) => { false };
    (@takes $given:expr, { $notation:expr, $(branch,)? on $samples:expr,
        takes |$n:ident, $c:ident| $takes:expr, $($rest:tt)* }
    ) => {{ let ($n, $c) = $given; $takes }};
    (@value $given:expr, { $notation:expr, $(branch,)? on $samples:expr,
        $(where |$($d:ident),+| $domain:expr,)? $(takes |$n:ident, $c:ident| $takes:expr,)?
        value |$x:ident| $value:expr, $($rest:tt)* }
    ) => {{ let $x = $given; $value }};
    (@value $given:expr, { $notation:expr, $(branch,)? on $samples:expr,
        $(where |$($d:ident),+| $domain:expr,)? $(takes |$n:ident, $c:ident| $takes:expr,)?
        value |$($x:ident),+| $value:expr, $($rest:tt)* }
    ) => {{ let ($($x),+) = $given; $value }};
    (@partial $given:expr, { $notation:expr, $(branch,)? on $samples:expr,
        $(where |$d:ident| $domain:expr,)? value |$v:ident| $value:expr,
        partial |$x:ident, $y:ident| $partial:expr }
    ) => {{
        let ($x, $y) = $given;
        $(let inside = { let $d = $x.value(); $domain };
        if !inside { return $x * f64::NAN; })?
        $partial
    }};
    (@first $given:expr, { $notation:expr, $(branch,)? on $samples:expr,
        $(where |$d1:ident, $d2:ident| $domain:expr,)? value |$v1:ident, $v2:ident| $value:expr,
        first |$a:ident, $b:ident, $y:ident| $first:expr, $($second:tt)* }
    ) => {{
        let ($a, $b, $y) = $given;
        $(let inside = { let ($d1, $d2) = ($a.value(), $b.value()); $domain };
        if !inside { return $a * f64::NAN; })?
        $first
    }};
    (@second $given:expr, { $notation:expr, $(branch,)? on $samples:expr,
        $(where |$d1:ident, $d2:ident| $domain:expr,)? value |$v1:ident, $v2:ident| $value:expr,
        first |$fa:ident, $fb:ident, $fy:ident| $first:expr,
        second |$a:ident, $b:ident, $y:ident| $second:expr }
    ) => {{
        let ($a, $b, $y) = $given;
        $(let inside = { let ($d1, $d2) = ($a.value(), $b.value()); $domain };
        if !inside { return $b * f64::NAN; })?
        $second
    }};
    (@partials $given:expr, { $notation:expr, $(branch,)? on $samples:expr,
        takes |$tn:ident, $tc:ident| $takes:expr,
        value |$vn:ident, $vx:ident, $vc:ident| $value:expr,
        partials |$n:ident, $x:ident, $c:ident, $y:ident, $each:ident| $partials:expr }
    ) => {{ let ($n, $x, $c, $y, $each) = $given; $partials }};

    (@prefix [$($generics:tt)*] $type:ty, $Op:ident $Trait:ident $method:ident) => {
        impl<$($generics)*> std::ops::$Trait for $type {
            type Output = $type;
            #[inline]
            #[track_caller]
            fn $method(self) -> $type {
                $crate::Real::unary($crate::Op::$Op, self)
            }
        }
        impl<$($generics)*> std::ops::$Trait for &$type {
            type Output = $type;
            #[inline]
            #[track_caller]
            fn $method(self) -> $type {
                $crate::Real::unary($crate::Op::$Op, *self)
            }
        }
    };

    (@infix [$($generics:tt)*] $type:ty,
        $Op:ident $Trait:ident $method:ident $Assign:ident $assign:ident
    ) => {
        impl<$($generics)*, R: Into<$type>> std::ops::$Trait<R> for $type {
            type Output = $type;
            #[inline]
            #[track_caller]
            fn $method(self, right: R) -> $type {
                $crate::Real::binary($crate::Op::$Op, self, right.into())
            }
        }
        impl<$($generics)*, R: Into<$type>> std::ops::$Trait<R> for &$type {
            type Output = $type;
            #[inline]
            #[track_caller]
            fn $method(self, right: R) -> $type {
                $crate::Real::binary($crate::Op::$Op, *self, right.into())
            }
        }
        impl<$($generics)*> std::ops::$Trait<$type> for f64 {
            type Output = $type;
            #[inline]
            #[track_caller]
            fn $method(self, right: $type) -> $type {
                $crate::Real::binary($crate::Op::$Op, <$type>::from(self), right)
            }
        }
        impl<$($generics)*> std::ops::$Trait<&$type> for f64 {
            type Output = $type;
            #[inline]
            #[track_caller]
            fn $method(self, right: &$type) -> $type {
                $crate::Real::binary($crate::Op::$Op, <$type>::from(self), *right)
            }
        }
        impl<$($generics)*> std::ops::$Trait<$type> for &f64 {
            type Output = $type;
            #[inline]
            #[track_caller]
            fn $method(self, right: $type) -> $type {
                $crate::Real::binary($crate::Op::$Op, <$type>::from(*self), right)
            }
        }
        impl<$($generics)*, R: Into<$type>> std::ops::$Assign<R> for $type {
            #[inline]
            #[track_caller]
            fn $assign(&mut self, right: R) {
                *self = $crate::Real::binary($crate::Op::$Op, *self, right.into());
            }
        }
    };

    (@fold [$($generics:tt)*] $type:ty, $Op:ident $method:ident) => {
        /// The whole iterator as one node.
        impl<$($generics)*, R: Into<$type>> std::iter::$Op<R> for $type {
            #[track_caller]
            fn $method<I: Iterator<Item = R>>(operands: I) -> $type {
                let operands: smallvec::SmallVec<[$type; 8]> = operands.map(Into::into).collect();
                $crate::Real::nary($crate::Op::$Op, &[&operands], &[])
            }
        }
    };
}
pub(crate) use expand;

table! { op }

impl Op {
    /// The operation's name: that of its method or operator in Rust.
    ///
    /// ```
    /// assert_eq!(chainrule::Op::LogAddExp.name(), "log_add_exp");
    /// ```
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// How many operands it takes; 0 for a leaf, `None` for any number.
    pub fn arity(self) -> Option<usize> {
        self.row().arity
    }

    /// How it is written.
    pub fn notation(self) -> Notation {
        self.row().notation
    }

    /// An interval for each operand inside the domain, away from its edges:
    /// where to sample it. N-ary operations have as many as make sense.
    pub fn samples(self) -> &'static [(f64, f64)] {
        self.row().samples
    }

    /// Writes the operation with operands that are written already, and put in
    /// parentheses where that is needed.
    ///
    /// ```
    /// use chainrule::Op;
    /// assert_eq!(Op::Mul.print(&["w1", "x1"]), "w1·x1");
    /// assert_eq!(Op::Sigmoid.print(&["z"]), "σ(z)");
    /// ```
    ///
    /// # Panics
    /// If the number of operands is not the operation's.
    #[track_caller]
    pub fn print(self, operands: &[impl fmt::Display]) -> String {
        if self.arity().is_some_and(|arity| arity != operands.len()) {
            self.wrong_arity(operands.len());
        }
        let joined = |by: &str| {
            operands
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(by)
        };
        match self.notation() {
            Call(name) => format!("{name}({})", joined(", ")),
            Prefix(symbol, _) => format!("{symbol}{}", joined("")),
            Infix("+", _) => joined(" + "),
            Infix("−", _) => joined(" − "),
            Infix(symbol, _) => joined(symbol),
            Template(text, _) => operands
                .iter()
                .enumerate()
                .fold(text.to_owned(), |text, (i, operand)| {
                    text.replace(&format!("{{{i}}}"), &operand.to_string())
                }),
        }
    }

    #[cold]
    #[inline(never)]
    #[track_caller]
    pub(crate) fn wrong_arity(self, found: usize) -> ! {
        Error::Arity {
            op: self.name(),
            found,
        }
        .stop()
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// `second`, if it is as long as `first`.
#[inline]
#[track_caller]
pub(crate) fn same_length<'a, A, B>(what: &'static str, first: &[A], second: &'a [B]) -> &'a [B] {
    expect_length(what, second.len(), first.len());
    second
}

/// The partials of a product, from the products of what stands before and
/// after each factor: linear in their number and right where a factor is 0.
fn products_of_others<T: Real>(n: usize, x: impl Fn(usize) -> T, mut each: impl FnMut(usize, T)) {
    let times = |product: Option<T>, factor| Some(product.map_or(factor, |p| p * factor));
    let mut after = vec![None; n];
    for i in (1..n).rev() {
        after[i - 1] = times(after[i], x(i));
    }
    let mut before: Option<T> = None;
    for (i, &after) in after.iter().enumerate() {
        let others = after.map_or(before, |after| times(before, after));
        each(i, others.unwrap_or(T::from(1.0)));
        before = times(before, x(i));
    }
}

/// The partials of a selection: none for what is compared.
fn picked<T: Real>(then: T, otherwise: T, mut each: impl FnMut(usize, T)) {
    for (i, partial) in [T::from(0.0), T::from(0.0), then, otherwise]
        .into_iter()
        .enumerate()
    {
        each(i, partial);
    }
}

/// The partials of y = log_sum_exp: e^{xᵢ−y}, normalised once more because y
/// itself is rounded.
fn softmax<T: Real>(n: usize, x: impl Fn(usize) -> T, y: T, mut each: impl FnMut(usize, T)) {
    let weights: Vec<T> = (0..n).map(|i| (x(i) - y).exp()).collect();
    let total = T::nary(Op::Sum, &[&weights], &[]);
    for (i, weight) in weights.into_iter().enumerate() {
        each(i, weight / total);
    }
}
