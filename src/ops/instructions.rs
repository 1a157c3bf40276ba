//! How a row of the table is read on registers: a function for each way in which it is a step
//! or a pullback.

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
            const STEPS: &'static [Act<R, N>; KINDS] = &{
                let mut all: [Act<R, N>; KINDS] = [none; KINDS];
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
            const PULLBACKS: &'static [Act<R, N>; KINDS] = &Self::pullbacks::<false>();
            const PULLBACKS_WITH_BRANCHES: &'static [Act<R, N>; KINDS] =
                &Self::pullbacks::<true>();

            const fn pullbacks<const BRANCHES: bool>() -> [Act<R, N>; KINDS] {
                let mut all: [Act<R, N>; KINDS] = [none; KINDS];
                $($crate::ops::instructions! { @each all pullback $P [BRANCHES,] 0 1 2 3 })*
                $($crate::ops::instructions! { @each all pullback $U [BRANCHES,] 0 1 2 3 })*
                $($crate::ops::instructions! {
                    @each all pullback $I [BRANCHES,] 0 1 2 3 4 5 6 7
                })*
                $($crate::ops::instructions! {
                    @each all pullback $B [BRANCHES,] 0 1 2 3 4 5 6 7
                })*
                // Of a square written as a product, and of two products.
                $crate::ops::instructions! { @each all pullback Mul [BRANCHES,] 8 9 10 11 12 13 }
                $($crate::ops::instructions! {
                    @shifted all pullback $U [BRANCHES,] $ubody 4 5 6 7 8 9 10 11
                })*
                all
            }
        }
    };
    // Of a shifted operand, if the row asks for them.
    (@shifted $all:ident $act:ident $Op:ident $branches:tt
        { [$row:expr, shifted, $($head:tt)*] $($mathematics:tt)* } $($flags:literal)*
    ) => {
        $crate::ops::instructions! { @each $all $act $Op $branches $($flags)* }
    };
    (@shifted $all:ident $act:ident $Op:ident $branches:tt $body:tt $($flags:literal)*) => {};
    (@each $all:ident $act:ident $Op:ident $branches:tt $($flags:literal)*) => {
        $($crate::ops::instructions! { @one $all $act $Op $branches $flags })*
    };
    (@one $all:ident $act:ident $Op:ident [$($branches:tt)*] $flags:literal) => {
        $all[kind(Op::$Op, $flags)] = $act::<R, N, $($branches)* { Op::$Op as u8 }, $flags>;
    };
}
pub(crate) use instructions;
