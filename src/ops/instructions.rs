//! How a row of the table is read on registers: a function for each way in which it is a step
//! or an adjoint instruction.

macro_rules! instructions {
    // See `registers/instruction.rs`.
    (@instructions
        prefix { $($(#[$pm:meta])* $P:ident $p:ident $ptrait:tt $pbody:tt)* }
        infix { $($(#[$im:meta])* $I:ident $i:ident $itrait:tt $ibody:tt)* }
        unary { $($(#[$um:meta])* $U:ident $u:ident $ubody:tt)* }
        binary { $($(#[$bm:meta])* $B:ident $b:ident $bargs:tt $bbody:tt)* }
        nary { $($(#[$nm:meta])* $N:ident $n:ident $nargs:tt => $nxs:tt, $ncs:tt $nbody:tt)* }
        forms { $($forms:tt)* }
    ) => {
        impl<R: Register, const N: usize> Instruction<R, N> {
            const STEPS: &'static [Handler<R, N>; KINDS] = &{
                let mut all: [Handler<R, N>; KINDS] = [none; KINDS];
                $($crate::ops::instructions! { @each all step $P [] 0 1 })*
                $($crate::ops::instructions! { @each all step $U [] 0 1 })*
                $($crate::ops::instructions! { @each all step $I [] 0 1 2 })*
                $($crate::ops::instructions! { @each all step $B [] 0 1 2 })*
                // A product that is added to a sum, and the negation of that.
                $crate::ops::instructions! { @each all step Mul [] 4 5 6 7 }
                $crate::ops::instructions! { @each all step Neg [] 4 5 6 7 }
                // Two products that are added.
                $crate::ops::instructions! { @each all step Mul [] 8 10 12 13 }
                $($crate::ops::instructions! { @shifted all step $U [] $ubody 4 5 8 9 })*
                all
            };
            const ADJOINT_STEPS: &'static [Handler<R, N>; KINDS] = &Self::adjoint_steps::<false>();
            const ADJOINT_STEPS_WITH_BRANCHES: &'static [Handler<R, N>; KINDS] =
                &Self::adjoint_steps::<true>();

            const fn adjoint_steps<const BRANCHES: bool>() -> [Handler<R, N>; KINDS] {
                let mut all: [Handler<R, N>; KINDS] = [none; KINDS];
                $($crate::ops::instructions! { @each all adjoint_step $P [BRANCHES,] 0 1 2 3 })*
                $($crate::ops::instructions! { @each all adjoint_step $U [BRANCHES,] 0 1 2 3 })*
                $($crate::ops::instructions! {
                    @each all adjoint_step $I [BRANCHES,] 0 1 2 3 4 5 6 7
                })*
                $($crate::ops::instructions! {
                    @each all adjoint_step $B [BRANCHES,] 0 1 2 3 4 5 6 7
                })*
                // Of a square written as a product, and of two products.
                $crate::ops::instructions! { @each all adjoint_step Mul [BRANCHES,] 8 9 10 11 12 13 }
                $($crate::ops::instructions! {
                    @shifted all adjoint_step $U [BRANCHES,] $ubody 4 5 6 7 8 9 10 11
                })*
                all
            }
        }
    };
    // Of a shifted operand, if the row asks for them.
    (@shifted $all:ident $handler:ident $Op:ident $branches:tt
        { [$row:expr, shifted, $($head:tt)*] $($mathematics:tt)* } $($flags:literal)*
    ) => {
        $crate::ops::instructions! { @each $all $handler $Op $branches $($flags)* }
    };
    (@shifted $all:ident $handler:ident $Op:ident $branches:tt $body:tt $($flags:literal)*) => {};
    (@each $all:ident $handler:ident $Op:ident $branches:tt $($flags:literal)*) => {
        $($crate::ops::instructions! { @one $all $handler $Op $branches $flags })*
    };
    (@one $all:ident $handler:ident $Op:ident [$($branches:tt)*] $flags:literal) => {
        $all[kind(Op::$Op, $flags)] = $handler::<R, N, $($branches)* { Op::$Op as u8 }, $flags>;
    };
}
pub(crate) use instructions;
