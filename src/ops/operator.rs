//! What an operator of the table is in Rust: the trait of `std::ops`, for a number
//! type and references to it, with `f64` on either side. `[T: Real,]` are the
//! generics of the number type, each with a comma after it.

macro_rules! operator {
    (@prefix [$($generics:tt)*] $type:ty, $Op:ident $Trait:ident $method:ident) => {
        impl<$($generics)*> std::ops::$Trait for $type {
            type Output = $type;
            #[inline(always)]
            #[track_caller]
            fn $method(self) -> $type {
                $crate::Real::unary($crate::Op::$Op, self)
            }
        }
        impl<$($generics)*> std::ops::$Trait for &$type {
            type Output = $type;
            #[inline(always)]
            #[track_caller]
            fn $method(self) -> $type {
                $crate::Real::unary($crate::Op::$Op, *self)
            }
        }
    };

    (@infix [$($generics:tt)*] $type:ty,
        $Op:ident $Trait:ident $method:ident $Assign:ident $assign:ident
    ) => {
        impl<$($generics)* R: Into<$type>> std::ops::$Trait<R> for $type {
            type Output = $type;
            #[inline(always)]
            #[track_caller]
            fn $method(self, right: R) -> $type {
                $crate::Real::binary($crate::Op::$Op, self, right.into())
            }
        }
        impl<$($generics)* R: Into<$type>> std::ops::$Trait<R> for &$type {
            type Output = $type;
            #[inline(always)]
            #[track_caller]
            fn $method(self, right: R) -> $type {
                $crate::Real::binary($crate::Op::$Op, *self, right.into())
            }
        }
        impl<$($generics)*> std::ops::$Trait<$type> for f64 {
            type Output = $type;
            #[inline(always)]
            #[track_caller]
            fn $method(self, right: $type) -> $type {
                $crate::Real::binary($crate::Op::$Op, <$type>::from(self), right)
            }
        }
        impl<$($generics)*> std::ops::$Trait<&$type> for f64 {
            type Output = $type;
            #[inline(always)]
            #[track_caller]
            fn $method(self, right: &$type) -> $type {
                $crate::Real::binary($crate::Op::$Op, <$type>::from(self), *right)
            }
        }
        impl<$($generics)*> std::ops::$Trait<$type> for &f64 {
            type Output = $type;
            #[inline(always)]
            #[track_caller]
            fn $method(self, right: $type) -> $type {
                $crate::Real::binary($crate::Op::$Op, <$type>::from(*self), right)
            }
        }
        impl<$($generics)* R: Into<$type>> std::ops::$Assign<R> for $type {
            #[inline(always)]
            #[track_caller]
            fn $assign(&mut self, right: R) {
                *self = $crate::Real::binary($crate::Op::$Op, *self, right.into());
            }
        }
    };

    (@fold [$($generics:tt)*] $type:ty, $Op:ident $method:ident) => {
        /// The whole iterator as one node.
        impl<$($generics)* R: Into<$type>> std::iter::$Op<R> for $type {
            #[track_caller]
            fn $method<I: Iterator<Item = R>>(operands: I) -> $type {
                let operands: smallvec::SmallVec<[$type; 8]> = operands.map(Into::into).collect();
                $crate::Real::nary($crate::Op::$Op, &[&operands], &[])
            }
        }
    };
}
pub(crate) use operator;
