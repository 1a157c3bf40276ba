//! How a row of the table is read by a `Function`: over a block of rows of data, by a loop
//! for each operation and each of its partials; and over registers.

macro_rules! loops {
    // Loops over a block of rows, one for each operation, compiled for the vectors
    // of `span`. Where they are read, `math` is the branch-free one and
    // `T` the number type.
    (@loops
        prefix { $($(#[$pm:meta])* $P:ident $p:ident $ptrait:tt $pbody:tt)* }
        infix { $($(#[$im:meta])* $I:ident $i:ident $itrait:tt $ibody:tt)* }
        unary { $($(#[$um:meta])* $U:ident $u:ident $ubody:tt)* }
        binary { $($(#[$bm:meta])* $B:ident $b:ident $bargs:tt $bbody:tt)* }
        nary { $($nary:tt)* }
        forms { $($forms:tt)* }
    ) => {
        $crate::ops::loops! { @unary $([$P $pbody])* $([$U $ubody])* }
        $crate::ops::loops! { @binary $([$I $ibody])* $([$B $bbody])* }
    };
    (@unary $([$U:ident $body:tt])*) => {
        /// The operation on each number of `x`.
        pub(super) fn value_one<V: Vectors>(span: Span<V>, op: Op, x: &Block, out: &mut Block) {
            match op {
                $(Op::$U => span.compiled(#[inline(always)] |rows| {
                    each_one(rows, x, out, #[inline(always)] |x| $crate::ops::expand!(@value x, $body));
                }),)*
                _ => op.wrong_arity(1),
            }
        }

        /// What goes back to the operand in each row.
        pub(super) fn share_one<V: Vectors>(
            span: Span<V>, op: Op, sender: Sender<'_>, x: &Block, out: &mut Block,
        ) {
            match op {
                $(Op::$U => span.compiled(#[inline(always)] |rows| {
                    const BRANCH: bool = $crate::ops::expand!(@branch $body);
                    sender.one::<BRANCH>(rows, x, out, #[inline(always)] |x: T, y: T| -> T {
                        $crate::ops::expand!(@partial (x, y), $body)
                    });
                }),)*
                _ => op.wrong_arity(1),
            }
        }
    };
    (@binary $([$B:ident $body:tt])*) => {
        /// The operation on each number of `a` and `b`.
        pub(super) fn value_two<V: Vectors>(
            span: Span<V>, op: Op, a: &Block, b: &Block, out: &mut Block,
        ) {
            match op {
                $(Op::$B => span.compiled(#[inline(always)] |rows| {
                    each_two(rows, a, b, out, #[inline(always)] |a, b| {
                        $crate::ops::expand!(@value (a, b), $body)
                    });
                }),)*
                _ => op.wrong_arity(2),
            }
        }

        $crate::ops::loops! { @shares share_first @first $([$B $body])* }
        $crate::ops::loops! { @shares share_second @second $([$B $body])* }
    };
    (@shares $name:ident @$operand:ident $([$B:ident $body:tt])*) => {
        /// What goes back to one of two operands in each row.
        pub(super) fn $name<V: Vectors>(
            span: Span<V>, op: Op, sender: Sender<'_>, a: &Block, b: &Block, out: &mut Block,
        ) {
            match op {
                $(Op::$B => span.compiled(#[inline(always)] |rows| {
                    const BRANCH: bool = $crate::ops::expand!(@branch $body);
                    sender.two::<BRANCH>(rows, a, b, out, #[inline(always)] |a: T, b: T, y: T| -> T {
                        $crate::ops::expand!(@$operand (a, b, y), $body)
                    });
                }),)*
                _ => op.wrong_arity(2),
            }
        }
    };

    // An instruction on registers, and its inverse: see `function/registers.rs`.
    (@instructions
        prefix { $($(#[$pm:meta])* $P:ident $p:ident $ptrait:tt $pbody:tt)* }
        infix { $($(#[$im:meta])* $I:ident $i:ident $itrait:tt $ibody:tt)* }
        unary { $($(#[$um:meta])* $U:ident $u:ident $ubody:tt)* }
        binary { $($(#[$bm:meta])* $B:ident $b:ident $bargs:tt $bbody:tt)* }
        nary { $($(#[$nm:meta])* $N:ident $n:ident $nargs:tt => $nxs:tt, $ncs:tt $nbody:tt)* }
        forms { $($forms:tt)* }
    ) => {
        $crate::ops::loops! { @on_registers [$($P)* $($U)*] [$($I)* $($B)*] [4 5 6 7] }
    };
    (@on_registers [$($U:ident)*] [$($B:ident)*] [$($sum:literal)*]) => {
        /// What a step gives; of an operation on any number of operands what `many` says.
        #[inline(always)]
        fn result_of<R: Register, const N: usize>(
            step: &Step<R>,
            last: f64,
            numbers: &[f64; N],
            many: impl Fn(&[f64; N]) -> f64,
        ) -> f64 {
            match step.kind {
                $(Kind::<{ Op::$U as u16 }, 0>::NUMBER => result::<_, _, 0>(Op::$U, step, last, numbers),
                Kind::<{ Op::$U as u16 }, 1>::NUMBER => result::<_, _, 1>(Op::$U, step, last, numbers),)*
                $(Kind::<{ Op::$B as u16 }, 0>::NUMBER => result::<_, _, 0>(Op::$B, step, last, numbers),
                Kind::<{ Op::$B as u16 }, 1>::NUMBER => result::<_, _, 1>(Op::$B, step, last, numbers),
                Kind::<{ Op::$B as u16 }, 2>::NUMBER => result::<_, _, 2>(Op::$B, step, last, numbers),)*
                // A product that is added to a sum, and the negation of that.
                $(Kind::<{ Op::Mul as u16 }, $sum>::NUMBER =>
                    result::<_, _, $sum>(Op::Mul, step, last, numbers),
                Kind::<{ Op::Neg as u16 }, $sum>::NUMBER =>
                    Op::Neg.value_1(result::<_, _, $sum>(Op::Mul, step, last, numbers)),)*
                _ => many(numbers),
            }
        }

        /// A share, with those before; of an operation on any number of operands what `many`
        /// says.
        #[inline(always)]
        fn total_of<R: Register, const N: usize, const BRANCHES: bool>(
            send: &Send<R>,
            last: f64,
            numbers: &mut [f64; N],
            many: impl Fn(&mut [f64; N]) -> f64,
        ) -> f64 {
            match send.kind {
                $(Kind::<{ Op::$U as u16 }, 0>::NUMBER =>
                    total::<_, _, BRANCHES, 0>(Op::$U, send, last, numbers),
                Kind::<{ Op::$U as u16 }, 1>::NUMBER =>
                    total::<_, _, BRANCHES, 1>(Op::$U, send, last, numbers),
                Kind::<{ Op::$U as u16 }, 2>::NUMBER =>
                    total::<_, _, BRANCHES, 2>(Op::$U, send, last, numbers),
                Kind::<{ Op::$U as u16 }, 3>::NUMBER =>
                    total::<_, _, BRANCHES, 3>(Op::$U, send, last, numbers),)*
                $(Kind::<{ Op::$B as u16 }, 0>::NUMBER =>
                    total::<_, _, BRANCHES, 0>(Op::$B, send, last, numbers),
                Kind::<{ Op::$B as u16 }, 1>::NUMBER =>
                    total::<_, _, BRANCHES, 1>(Op::$B, send, last, numbers),
                Kind::<{ Op::$B as u16 }, 2>::NUMBER =>
                    total::<_, _, BRANCHES, 2>(Op::$B, send, last, numbers),
                Kind::<{ Op::$B as u16 }, 3>::NUMBER =>
                    total::<_, _, BRANCHES, 3>(Op::$B, send, last, numbers),
                Kind::<{ Op::$B as u16 }, 4>::NUMBER =>
                    total::<_, _, BRANCHES, 4>(Op::$B, send, last, numbers),
                Kind::<{ Op::$B as u16 }, 5>::NUMBER =>
                    total::<_, _, BRANCHES, 5>(Op::$B, send, last, numbers),
                Kind::<{ Op::$B as u16 }, 6>::NUMBER =>
                    total::<_, _, BRANCHES, 6>(Op::$B, send, last, numbers),
                Kind::<{ Op::$B as u16 }, 7>::NUMBER =>
                    total::<_, _, BRANCHES, 7>(Op::$B, send, last, numbers),)*
                _ => many(numbers),
            }
        }
    };

    // A number type's values of operations on one and two operands, where `math` is
    // another one.
    (@values
        prefix { $($(#[$pm:meta])* $P:ident $p:ident $ptrait:tt $pbody:tt)* }
        infix { $($(#[$im:meta])* $I:ident $i:ident $itrait:tt $ibody:tt)* }
        unary { $($(#[$um:meta])* $U:ident $u:ident $ubody:tt)* }
        binary { $($(#[$bm:meta])* $B:ident $b:ident $bargs:tt $bbody:tt)* }
        nary { $($nary:tt)* }
        forms { $($forms:tt)* }
    ) => {
        #[inline(always)]
        fn value_1(op: Op, x: f64) -> f64 {
            match op {
                $(Op::$P => $crate::ops::expand!(@value x, $pbody),)*
                $(Op::$U => $crate::ops::expand!(@value x, $ubody),)*
                _ => op.wrong_arity(1),
            }
        }

        #[inline(always)]
        fn value_2(op: Op, a: f64, b: f64) -> f64 {
            match op {
                $(Op::$I => $crate::ops::expand!(@value (a, b), $ibody),)*
                $(Op::$B => $crate::ops::expand!(@value (a, b), $bbody),)*
                _ => op.wrong_arity(2),
            }
        }
    };
}
pub(crate) use loops;
