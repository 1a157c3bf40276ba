//! How a row of the table is read over a block of rows of data: a loop for each
//! operation, and for each of its partials.

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
        /// The operation on each number of `x`, after what is done to it before.
        pub(super) fn value_one<V: Vectors>(
            span: Span<V>, op: Op, before: Before, x: &Block, out: &mut Block,
        ) {
            match op {
                $(Op::$U => span.compiled(#[inline(always)] move |rows| {
                    each_after(rows, before, x, out, #[inline(always)] |x| $crate::ops::expand!(@value x, $body));
                }),)*
                _ => op.wrong_arity(1),
            }
        }

        /// What goes back to the operand in each row.
        pub(super) fn share_one<V: Vectors>(
            span: Span<V>, op: Op, before: Before, sender: Sender<'_>, x: &Block, out: &mut Block,
        ) {
            match op {
                $(Op::$U => span.compiled(#[inline(always)] move |rows| {
                    const BRANCH: bool = $crate::ops::expand!(@branch $body);
                    sender.one::<BRANCH>(rows, before, x, out, #[inline(always)] |x: T, y: T| -> T {
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
                $(Op::$B => span.compiled(#[inline(always)] move |rows| {
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
                $(Op::$B => span.compiled(#[inline(always)] move |rows| {
                    const BRANCH: bool = $crate::ops::expand!(@branch $body);
                    sender.two::<BRANCH>(rows, a, b, out, #[inline(always)] |a: T, b: T, y: T| -> T {
                        $crate::ops::expand!(@$operand (a, b, y), $body)
                    });
                }),)*
                _ => op.wrong_arity(2),
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
