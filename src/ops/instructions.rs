//! How a row of the table is read on registers: one `match` for the steps, and one for the
//! shares that they send back.

macro_rules! instructions {
    // An instruction on registers, and its inverse: see `function/registers.rs`.
    (@instructions
        prefix { $($(#[$pm:meta])* $P:ident $p:ident $ptrait:tt $pbody:tt)* }
        infix { $($(#[$im:meta])* $I:ident $i:ident $itrait:tt $ibody:tt)* }
        unary { $($(#[$um:meta])* $U:ident $u:ident $ubody:tt)* }
        binary { $($(#[$bm:meta])* $B:ident $b:ident $bargs:tt $bbody:tt)* }
        nary { $($(#[$nm:meta])* $N:ident $n:ident $nargs:tt => $nxs:tt, $ncs:tt $nbody:tt)* }
        forms { $($forms:tt)* }
    ) => {
        $crate::ops::instructions! { @on_registers [$($P)* $($U)*] [$($I)* $($B)*] [4 5 6 7] }
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
            pullback: &Pullback<R>,
            last: f64,
            numbers: &mut [f64; N],
            many: impl Fn(&mut [f64; N]) -> f64,
        ) -> f64 {
            match pullback.kind {
                $(Kind::<{ Op::$U as u16 }, 0>::NUMBER =>
                    total::<_, _, BRANCHES, 0>(Op::$U, pullback, last, numbers),
                Kind::<{ Op::$U as u16 }, 1>::NUMBER =>
                    total::<_, _, BRANCHES, 1>(Op::$U, pullback, last, numbers),
                Kind::<{ Op::$U as u16 }, 2>::NUMBER =>
                    total::<_, _, BRANCHES, 2>(Op::$U, pullback, last, numbers),
                Kind::<{ Op::$U as u16 }, 3>::NUMBER =>
                    total::<_, _, BRANCHES, 3>(Op::$U, pullback, last, numbers),)*
                $(Kind::<{ Op::$B as u16 }, 0>::NUMBER =>
                    total::<_, _, BRANCHES, 0>(Op::$B, pullback, last, numbers),
                Kind::<{ Op::$B as u16 }, 1>::NUMBER =>
                    total::<_, _, BRANCHES, 1>(Op::$B, pullback, last, numbers),
                Kind::<{ Op::$B as u16 }, 2>::NUMBER =>
                    total::<_, _, BRANCHES, 2>(Op::$B, pullback, last, numbers),
                Kind::<{ Op::$B as u16 }, 3>::NUMBER =>
                    total::<_, _, BRANCHES, 3>(Op::$B, pullback, last, numbers),
                Kind::<{ Op::$B as u16 }, 4>::NUMBER =>
                    total::<_, _, BRANCHES, 4>(Op::$B, pullback, last, numbers),
                Kind::<{ Op::$B as u16 }, 5>::NUMBER =>
                    total::<_, _, BRANCHES, 5>(Op::$B, pullback, last, numbers),
                Kind::<{ Op::$B as u16 }, 6>::NUMBER =>
                    total::<_, _, BRANCHES, 6>(Op::$B, pullback, last, numbers),
                Kind::<{ Op::$B as u16 }, 7>::NUMBER =>
                    total::<_, _, BRANCHES, 7>(Op::$B, pullback, last, numbers),)*
                _ => many(numbers),
            }
        }
    };
}
pub(crate) use instructions;
