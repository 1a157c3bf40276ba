//! The one macro that reads rows of the table.
//!
//! The first word says what is made of them: `op` makes the `Op`s with their
//! values, partials and print forms; `result` and `edges` the functions that the
//! sweeps call at each node; `loops` those over rows of data, which `loops.rs` spells
//! out; `instructions` those on registers, which `instructions.rs` does; `methods` the
//! named methods of a number type; `operators` its `+ − · /`, which `operator.rs` spells
//! out.

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

            /// The operation that has this number, `op as usize`.
            #[inline(always)]
            pub(crate) const fn numbered(number: usize) -> Op {
                const NUMBERED: [Op; 64] = {
                    let mut numbered = [Op::Input; 64];
                    let mut i = 0;
                    while i < Op::ALL.len() {
                        numbered[Op::ALL[i] as usize] = Op::ALL[i];
                        i += 1;
                    }
                    numbered
                };
                NUMBERED[number & 63]
            }

            fn row(self) -> Entry {
                match self {
                    Op::Input => Call("input").on(&[]).named("input", ""),
                    $(Op::$P => expand!(@row $p, $pbody),)*
                    $(Op::$I => expand!(@row $i, $ibody),)*
                    $(Op::$U => expand!(@row $u, $ubody),)*
                    $(Op::$B => expand!(@row $b, $bbody),)*
                    $(Op::$N => expand!(@row $n, $nbody),)*
                }
            }

            /// How many operands it takes; 0 for a leaf, `None` for any number.
            #[inline]
            pub fn arity(self) -> Option<usize> {
                match self {
                    Op::Input => Some(0),
                    $(Op::$P)|* => Some(1),
                    $(Op::$I)|* => Some(2),
                    $(Op::$U)|* => Some(1),
                    $(Op::$B)|* => Some(2),
                    $(Op::$N)|* => None,
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

            #[inline(always)]
            #[track_caller]
            pub(crate) fn value_n<C>(self, n: usize, x: impl Fn(usize) -> f64, c: &C) -> f64
            where
                C: ?Sized + Index<usize, Output = f64> + Index<RangeTo<usize>, Output = [f64]>,
            {
                match self {
                    $(Op::$N => expand!(@value (n, x, c), $nbody),)*
                    _ => self.wrong_arity(n),
                }
            }

            /// Whether there are instructions of it on a shifted operand.
            #[inline(always)]
            pub(crate) const fn takes_shifted(self) -> bool {
                match self {
                    $(Op::$U => expand!(@shifted $ubody),)*
                    _ => false,
                }
            }

            /// How many constants of its own it takes beside a list of so many operands, such
            /// as the weights of a linear combination; `None` if it does not take such a list.
            ///
            /// ```
            /// use chainrule::Op;
            /// assert_eq!(Op::LinearCombination.own_constants(3), Some(4));
            /// assert_eq!(Op::Sum.own_constants(3), Some(0));
            /// assert_eq!(Op::SelectLt.own_constants(3), None);
            /// assert_eq!(Op::Sin.own_constants(1), None);
            /// ```
            #[inline]
            pub fn own_constants(self, operands: usize) -> Option<usize> {
                match self {
                    $(Op::$N => expand!(@constants operands, $nbody),)*
                    _ => None,
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

    // The function that a forward sweep calls at each node. One `match` finds the
    // operation and where its operands are.
    (@result
        prefix { $($(#[$pm:meta])* $P:ident $p:ident $ptrait:tt $pbody:tt)* }
        infix { $($(#[$im:meta])* $I:ident $i:ident $itrait:tt $ibody:tt)* }
        unary { $($(#[$um:meta])* $U:ident $u:ident $ubody:tt)* }
        binary { $($(#[$bm:meta])* $B:ident $b:ident $bargs:tt $bbody:tt)* }
        nary { $($(#[$nm:meta])* $N:ident $n:ident $nargs:tt => $nxs:tt, $ncs:tt $nbody:tt)* }
        forms { $($forms:tt)* }
    ) => {
        /// What a record's operation gives; for a leaf what it is. `kind` is its record's
        /// code.
        // Several copies of it, not optimised, would take more stack than a thread may have.
        #[cfg_attr(not(debug_assertions), inline(always))]
        fn result<T: Real>(
            kind: u8, program: GraphView<'_>, index: usize, values: &[T], last: T,
        ) -> T {
            let record = program.records[index];
            let of = |i: usize| if i + 1 == index { last } else { values[i] };
            // In each arm, so that it takes from the record only what it needs.
            let (a, b) = (|| of(record.a()), || of(record.b()));
            let constant = || T::from(program.constants[record.b()]);
            match kind {
                $(n if n == const { code(Op::$P, RecordForm::Nodes) } => T::unary(Op::$P, a()),)*
                $(n if n == const { code(Op::$U, RecordForm::Nodes) } => T::unary(Op::$U, a()),)*
                $(n if n == const { code(Op::$I, RecordForm::Nodes) } => T::binary(Op::$I, a(), b()),
                n if n == const { code(Op::$I, RecordForm::NodeConstant) } =>
                    T::binary(Op::$I, a(), constant()),
                n if n == const { code(Op::$I, RecordForm::ConstantNode) } =>
                    T::binary(Op::$I, constant(), a()),)*
                $(n if n == const { code(Op::$B, RecordForm::Nodes) } => T::binary(Op::$B, a(), b()),
                n if n == const { code(Op::$B, RecordForm::NodeConstant) } =>
                    T::binary(Op::$B, a(), constant()),
                n if n == const { code(Op::$B, RecordForm::ConstantNode) } =>
                    T::binary(Op::$B, constant(), a()),)*
                $(n if n == const { code(Op::$N, RecordForm::Nodes) } => {
                    let nary = program.nary(record);
                    T::nary_of(Op::$N, nary.len(), |i| values[nary.node(i)], nary.constants)
                }
                n if n == const { code(Op::$N, RecordForm::NodeConstant) } => {
                    let nary = program.nary(record);
                    T::nary_of(Op::$N, nary.len(), |i| nary.value(i, values), nary.constants)
                }
                n if n == const { code(Op::$N, RecordForm::Range) } => {
                    let x = &values[program.range(record)];
                    T::nary_of(Op::$N, x.len(), |i| x[i], program.own_constants(record))
                })*
                _ => values[index],
            }
        }
    };

    // The function that a reverse sweep calls at each node. One `match` finds the
    // operation, and each arm knows its partials and what is constant in them.
    (@edges
        prefix { $($(#[$pm:meta])* $P:ident $p:ident $ptrait:tt $pbody:tt)* }
        infix { $($(#[$im:meta])* $I:ident $i:ident $itrait:tt $ibody:tt)* }
        unary { $($(#[$um:meta])* $U:ident $u:ident $ubody:tt)* }
        binary { $($(#[$bm:meta])* $B:ident $b:ident $bargs:tt $bbody:tt)* }
        nary { $($(#[$nm:meta])* $N:ident $n:ident $nargs:tt => $nxs:tt, $ncs:tt $nbody:tt)* }
        forms { $($forms:tt)* }
    ) => {
        /// Gives `edges` the position and the partial of operand after operand of
        /// one node, constants left out. `kind` is its record's code, known to the
        /// compiler where it is one of few.
        // As `result`.
        #[cfg_attr(not(debug_assertions), inline(always))]
        pub(crate) fn for_each_edge<T: $crate::Real>(
            kind: u8,
            program: GraphView<'_>,
            index: usize,
            values: &[T],
            edges: &mut impl Edges<T>,
        ) {
            let record = program.records[index];
            match kind {
                $(n if n == const { code(Op::$P, RecordForm::Nodes) } => $crate::ops::expand!(
                    @unary_edge (record.a(), index, values, edges), $pbody),)*
                $(n if n == const { code(Op::$U, RecordForm::Nodes) } => $crate::ops::expand!(
                    @unary_edge (record.a(), index, values, edges), $ubody),)*
                $(n if n == const { code(Op::$I, RecordForm::Nodes) } => $crate::ops::expand!(
                    @node_node_edges (record.a(), record.b(), index, values, edges), $ibody),
                n if n == const { code(Op::$I, RecordForm::NodeConstant) } => $crate::ops::expand!(
                    @first_edge (record.a(), record.b(), index, values, program, edges), $ibody),
                n if n == const { code(Op::$I, RecordForm::ConstantNode) } => $crate::ops::expand!(
                    @second_edge (record.a(), record.b(), index, values, program, edges), $ibody),)*
                $(n if n == const { code(Op::$B, RecordForm::Nodes) } => $crate::ops::expand!(
                    @node_node_edges (record.a(), record.b(), index, values, edges), $bbody),
                n if n == const { code(Op::$B, RecordForm::NodeConstant) } => $crate::ops::expand!(
                    @first_edge (record.a(), record.b(), index, values, program, edges), $bbody),
                n if n == const { code(Op::$B, RecordForm::ConstantNode) } => $crate::ops::expand!(
                    @second_edge (record.a(), record.b(), index, values, program, edges), $bbody),)*
                $(n if n == const { code(Op::$N, RecordForm::Nodes) } => $crate::ops::expand!(
                    @nary_edges (record, index, values, program, edges), $nbody),
                n if n == const { code(Op::$N, RecordForm::NodeConstant) } => $crate::ops::expand!(
                    @mixed_edges (record, index, values, program, edges), $nbody),
                n if n == const { code(Op::$N, RecordForm::Range) } => $crate::ops::expand!(
                    @range_edges (record, index, values, program, edges), $nbody),)*
                _ => {}
            }
        }
    };
    (@unary_edge ($a:expr, $index:expr, $values:expr, $edges:expr), $body:tt) => {{
        let partial = |x: T| $crate::ops::expand!(@partial (x, $values[$index]), $body);
        $edges.edge($a, partial($values[$a]), $crate::ops::expand!(@branch $body));
    }};
    (@node_node_edges ($a:expr, $b:expr, $index:expr, $values:expr, $edges:expr), $body:tt) => {{
        const BRANCH: bool = $crate::ops::expand!(@branch $body);
        let first = |p: T, q: T| $crate::ops::expand!(@first (p, q, $values[$index]), $body);
        let second = |p: T, q: T| $crate::ops::expand!(@second (p, q, $values[$index]), $body);
        let (p, q) = ($values[$a], $values[$b]);
        $edges.edge($a, first(p, q), BRANCH);
        $edges.edge($b, second(p, q), BRANCH);
    }};
    (@first_edge ($a:expr, $b:expr, $index:expr, $values:expr, $program:expr, $edges:expr),
        $body:tt
    ) => {{
        let first = |p: T, q: T| $crate::ops::expand!(@first (p, q, $values[$index]), $body);
        let partial = first($values[$a], T::from($program.constants[$b]));
        $edges.edge($a, partial, $crate::ops::expand!(@branch $body));
    }};
    (@second_edge ($a:expr, $b:expr, $index:expr, $values:expr, $program:expr, $edges:expr),
        $body:tt
    ) => {{
        let second = |p: T, q: T| $crate::ops::expand!(@second (p, q, $values[$index]), $body);
        let partial = second(T::from($program.constants[$b]), $values[$a]);
        $edges.edge($a, partial, $crate::ops::expand!(@branch $body));
    }};
    (@nary_edges ($record:expr, $index:expr, $values:expr, $program:expr, $edges:expr),
        $body:tt
    ) => {{
        const BRANCH: bool = $crate::ops::expand!(@branch $body);
        let nary = $program.nary($record);
        let x = |i: usize| $values[nary.node(i)];
        $edges.many(true);
        let mut each = |i: usize, partial: T| $edges.one_of_many(nary.node(i), partial, BRANCH);
        $crate::ops::expand!(@partials (nary.len(), x, nary.constants, $values[$index], &mut each), $body);
        $edges.many(false);
    }};
    (@range_edges ($record:expr, $index:expr, $values:expr, $program:expr, $edges:expr),
        $body:tt
    ) => {{
        const BRANCH: bool = $crate::ops::expand!(@branch $body);
        let (range, constants) = ($program.range($record), $program.own_constants($record));
        let operands = &$values[range.clone()];
        let x = |i: usize| operands[i];
        $edges.many(true);
        let mut each = $edges.one_of_range(range, BRANCH);
        $crate::ops::expand!(@partials (operands.len(), x, constants, $values[$index], &mut each), $body);
        drop(each);
        $edges.many(false);
    }};
    (@mixed_edges ($record:expr, $index:expr, $values:expr, $program:expr, $edges:expr),
        $body:tt
    ) => {{
        const BRANCH: bool = $crate::ops::expand!(@branch $body);
        let nary = $program.nary($record);
        let x = |i: usize| nary.value(i, $values);
        let mut each = |i: usize, partial: T| {
            if let Operand::Node(id) = nary.operand(i) {
                $edges.edge(id.index(), partial, BRANCH);
            }
        };
        $crate::ops::expand!(@partials (nary.len(), x, nary.constants, $values[$index], &mut each), $body);
    }};

    // Loops over blocks of rows, and values by other kernels: see `loops.rs`.
    (@loops $($rows:tt)*) => { $crate::ops::loops! { @loops $($rows)* } };
    (@values $($rows:tt)*) => { $crate::ops::loops! { @values $($rows)* } };
    // Instructions on registers: see `instructions.rs`.
    (@instructions $($rows:tt)*) => { $crate::ops::instructions! { @instructions $($rows)* } };

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
        $($(#[$um])* #[inline(always)] #[track_caller] #[must_use]
        $vis fn $u(self) -> Self {
            <Self as $crate::Real>::unary($crate::Op::$U, self)
        })*
        $($(#[$bm])* #[inline(always)] #[track_caller] #[must_use]
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
        $($crate::ops::operator! { @prefix $generics $type, $P $PT $pt })*
        $($crate::ops::operator! { @infix $generics $type, $I $IT $it $AT $at })*
        $crate::ops::operator! { @fold $generics $type, Sum sum }
        $crate::ops::operator! { @fold $generics $type, Product product }
    };

    // What is in the body of a row.
    (@row $name:ident,
        { [$row:expr, $(branch,)? $(shifted,)? js $javascript:literal] $($mathematics:tt)* }
    ) => {
        $row.named(stringify!($name), $javascript)
    };
    (@branch { [$row:expr, branch, $($rest:tt)*] $($mathematics:tt)* }) => { true };
    (@branch { $($rest:tt)* }) => { false };
    (@shifted { [$row:expr, shifted, $($rest:tt)*] $($mathematics:tt)* }) => { true };
    (@shifted { $($rest:tt)* }) => { false };
    (@constants $given:expr, { $head:tt constants |$n:ident| $constants:expr, $($rest:tt)* }) => {{
        let $n = $given;
        $constants
    }};
    (@value $given:expr, { $head:tt
        $(where |$($d:ident),+| $domain:expr,)? $(constants |$n:ident| $constants:expr,)?
        value |$x:ident| $value:expr, $($rest:tt)* }
    ) => {{ let $x = $given; $value }};
    (@value $given:expr, { $head:tt
        $(where |$($d:ident),+| $domain:expr,)? $(constants |$n:ident| $constants:expr,)?
        value |$($x:ident),+| $value:expr, $($rest:tt)* }
    ) => {{ let ($($x),+) = $given; $value }};
    (@partial $given:expr, { $head:tt
        $(where |$d:ident| $domain:expr,)? value |$v:ident| $value:expr,
        partial |$x:ident, $y:ident| $partial:expr }
    ) => {{
        let ($x, $y) = $given;
        $(let inside = { let $d = $x.value(); $domain };
        if !inside && !T::RECORDS { return $x * f64::NAN; })?
        let partial = $partial;
        $(let $d = T::within_domain(partial, $y); let partial = $d;)?
        partial
    }};
    (@first $given:expr, { $head:tt
        $(where |$d1:ident, $d2:ident| $domain:expr,)? value |$v1:ident, $v2:ident| $value:expr,
        first |$a:ident, $b:ident, $y:ident| $first:expr, $($second:tt)* }
    ) => {{
        let ($a, $b, $y) = $given;
        $(let inside = { let ($d1, $d2) = ($a.value(), $b.value()); $domain };
        if !inside && !T::RECORDS { return ($a + $b) * f64::NAN; })?
        let partial = $first;
        $(let ($d1, _) = (T::within_domain(partial, $y), stringify!($d2)); let partial = $d1;)?
        partial
    }};
    (@second $given:expr, { $head:tt
        $(where |$d1:ident, $d2:ident| $domain:expr,)? value |$v1:ident, $v2:ident| $value:expr,
        first |$fa:ident, $fb:ident, $fy:ident| $first:expr,
        second |$a:ident, $b:ident, $y:ident| $second:expr }
    ) => {{
        let ($a, $b, $y) = $given;
        $(let inside = { let ($d1, $d2) = ($a.value(), $b.value()); $domain };
        if !inside && !T::RECORDS { return ($a + $b) * f64::NAN; })?
        let partial = $second;
        $(let ($d1, _) = (T::within_domain(partial, $y), stringify!($d2)); let partial = $d1;)?
        partial
    }};
    (@partials $given:expr, { $head:tt constants |$cn:ident| $constants:expr,
        value |$vn:ident, $vx:ident, $vc:ident| $value:expr,
        partials |$n:ident, $x:ident, $c:ident, $y:ident, $each:ident| $partials:expr }
    ) => {{ let ($n, $x, $c, $y, $each) = $given; $partials }};
}
pub(crate) use expand;
