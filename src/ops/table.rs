//! THE TABLE: one row per operation, and the only place where a derivative is
//! written.
//!
//! A row has, in this order: its documentation, the name of its `Op` and of its method; in
//! brackets how it prints, the intervals on which tests sample its operands (`on`), what else is
//! to be said of it (see `row.rs`) and its value in JavaScript; its value on `f64`; and its
//! partials. The partials are ordinary mathematics on
//! any `T: Real`, use only operations of this table, and may use the result
//! `y`. They are chosen to keep their digits over the whole domain, not to look
//! like a textbook: tanh′ is sech² x, because 1−y² cancels.
//!
//! `where` gives the domain: outside it the partials are NaN, also where their
//! formula would be finite. `branch` marks an operation that picks one of its
//! operands: a partial of zero then means "not taken" and lets nothing pass,
//! not even a 0·∞. `shifted` asks for instructions that add a constant to its operand first, where
//! this is frequent. `constants` is how many constants of its own an n-ary operation has beside
//! so many operands, if it takes so many.
//!
//! What is longer than a line in JavaScript stands in `inspect/html/values.js`. How to add an
//! operation is told in `docs/architecture.md`.

macro_rules! table {
    ($($reading:tt)*) => { $crate::ops::expand! { @$($reading)*
        prefix {
            /// Negation, −x.
            Neg neg [Neg::neg] { [Prefix("−", 3).on(&[(-9.0, 9.0)]), js "(x) => -x"]
                value |x| -x, partial |_x, _y| T::from(-1.0) }
        }
        infix {
            /// Sum of two, a + b.
            Add add [Add::add AddAssign::add_assign] {
                [Infix("+", 1).on(&[(-9.0, 9.0), (-9.0, 9.0)]), js "(a, b) => a + b"]
                value |a, b| a + b,
                first |_a, _b, _y| T::from(1.0), second |_a, _b, _y| T::from(1.0) }
            /// Difference, a − b.
            Sub sub [Sub::sub SubAssign::sub_assign] {
                [Infix("−", 1).on(&[(-9.0, 9.0), (-9.0, 9.0)]), js "(a, b) => a - b"]
                value |a, b| a - b,
                first |_a, _b, _y| T::from(1.0), second |_a, _b, _y| T::from(-1.0) }
            /// Product of two, a·b.
            Mul mul [Mul::mul MulAssign::mul_assign] {
                [Infix("·", 2).on(&[(-9.0, 9.0), (-9.0, 9.0)]), js "(a, b) => a * b"]
                value |a, b| a * b,
                first |_a, b, _y| b, second |a, _b, _y| a }
            /// Quotient, a/b.
            Div div [Div::div DivAssign::div_assign] {
                [Infix("/", 2).on(&[(-9.0, 9.0), (0.3, 9.0)]), js "(a, b) => a / b"]
                value |a, b| a / b,
                first |_a, b, _y| b.recip(), second |_a, b, y| -(y / b) }
        }
        unary {
            /// Reciprocal, 1/x.
            Recip recip { [Template("1/{0}", 2).on(&[(0.3, 9.0)])
                    .written(Over(&Number(1.0), &Operand(0))), js "(x) => 1 / x"]
                value |x| 1.0 / x, partial |_x, y| -y.square() }
            /// Square, x².
            Square square { [Template("{0}²", 4).on(&[(-9.0, 9.0)])
                    .written(Raised(&Operand(0), &Number(2.0))), shifted, js "(x) => x * x"]
                value |x| x * x, partial |x, _y| x * 2.0 }
            /// 1 − x², to the last digits also near ±1: (1 − x)(1 + x).
            OneMinusSquare one_minus_square { [Template("1 − {0}²", 1).on(&[(-9.0, 9.0)])
                    .written(Added(&[Number(1.0), Negated(&Raised(&Operand(0), &Number(2.0)))])),
                js "(x) => (1 - x) * (1 + x)"]
                value |x| (1.0 - x) * (1.0 + x), partial |x, _y| x * -2.0 }
            /// Square root. Its slope is +∞ at 0.
            Sqrt sqrt { [Call("sqrt").on(&[(0.1, 9.0)]).written(Root(2, &Operand(0))),
                shifted, js "Math.sqrt"]
                value |x| math::sqrt(x), partial |_x, y| T::from(0.5) / y }
            /// Cube root, of negative numbers too. Its slope is +∞ at 0.
            Cbrt cbrt { [Call("cbrt").on(&[(0.1, 9.0)]).odd().written(Root(3, &Operand(0))),
                js "Math.cbrt"]
                value |x| math::cbrt(x), partial |_x, y| (y.square() * 3.0).recip() }
            /// Natural exponential, eˣ.
            Exp exp { [Call("exp").on(&[(-9.0, 9.0)]).written(Raised(&Euler, &Operand(0))),
                shifted, js "Math.exp"]
                value |x| math::exp(x), partial |_x, y| y }
            /// eˣ − 1, accurate for small x.
            ExpM1 exp_m1 { [Call("exp_m1").on(&[(-9.0, 9.0)])
                    .written(Added(&[Raised(&Euler, &Operand(0)), Negated(&Number(1.0))])),
                js "Math.expm1"]
                value |x| math::exp_m1(x), partial |x, _y| x.exp() }
            /// Power of two, 2ˣ.
            Exp2 exp2 { [Call("exp2").on(&[(-9.0, 9.0)])
                    .written(Raised(&Number(2.0), &Operand(0))), js "(x) => 2 ** x"]
                value |x| math::exp2(x), partial |_x, y| y * LN_2 }
            /// Natural logarithm; NaN, value and slope, below 0.
            Ln ln { [Call("ln").on(&[(0.1, 9.0)]).latex(r"\ln"), shifted, js "Math.log"]
                where |x| x >= 0.0,
                value |x| math::ln(x), partial |x, _y| x.recip() }
            /// ln(1 + x), accurate for small x.
            Ln1p ln_1p { [Call("ln_1p").on(&[(-0.7, 9.0)])
                    .written(Of("ln", &Added(&[Number(1.0), Operand(0)]))), js "Math.log1p"]
                where |x| x >= -1.0,
                value |x| math::ln_1p(x), partial |x, _y| (x + 1.0).recip() }
            /// Logarithm to base 2.
            Log2 log2 { [Call("log2").on(&[(0.1, 9.0)]).latex(r"\log_{2}"), js "Math.log2"]
                where |x| x >= 0.0,
                value |x| math::log2(x), partial |x, _y| T::from(LOG2_E) / x }
            /// Logarithm to base 10.
            Log10 log10 { [Call("log10").on(&[(0.1, 9.0)]).latex(r"\log_{10}"), js "Math.log10"]
                where |x| x >= 0.0,
                value |x| math::log10(x), partial |x, _y| T::from(LOG10_E) / x }
            /// Sine of an angle in radians.
            Sin sin { [Call("sin").on(&[(-9.0, 9.0)]).latex(r"\sin").odd(), js "Math.sin"]
                value |x| math::sin(x), partial |x, _y| x.cos() }
            /// Cosine of an angle in radians.
            Cos cos { [Call("cos").on(&[(-9.0, 9.0)]).latex(r"\cos").even(), js "Math.cos"]
                value |x| math::cos(x), partial |x, _y| -x.sin() }
            /// Tangent of an angle in radians.
            Tan tan { [Call("tan").on(&[(-1.3, 1.3)]).latex(r"\tan").odd(), js "Math.tan"]
                value |x| math::tan(x), partial |_x, y| y.square() + 1.0 }
            /// Arc sine, in [−π/2, π/2].
            Asin asin { [Call("asin").on(&[(-0.9, 0.9)]).latex(r"\arcsin").odd(), js "Math.asin"]
                value |x| math::asin(x), partial |x, _y| x.one_minus_square().sqrt().recip() }
            /// Arc cosine, in [0, π].
            Acos acos { [Call("acos").on(&[(-0.9, 0.9)]).latex(r"\arccos"), js "Math.acos"]
                value |x| math::acos(x), partial |x, _y| -x.one_minus_square().sqrt().recip() }
            /// Arc tangent, in [−π/2, π/2].
            Atan atan { [Call("atan").on(&[(-9.0, 9.0)]).latex(r"\arctan").odd(), js "Math.atan"]
                value |x| math::atan(x), partial |x, _y| x.hypot(1.0).recip().square() }
            /// Hyperbolic sine.
            Sinh sinh { [Call("sinh").on(&[(-9.0, 9.0)]).latex(r"\sinh").odd(), js "Math.sinh"]
                value |x| math::sinh(x), partial |x, _y| x.cosh() }
            /// Hyperbolic cosine.
            Cosh cosh { [Call("cosh").on(&[(-9.0, 9.0)]).latex(r"\cosh").even(), js "Math.cosh"]
                value |x| math::cosh(x), partial |x, _y| x.sinh() }
            /// Hyperbolic tangent.
            Tanh tanh { [Call("tanh").on(&[(-9.0, 9.0)]).latex(r"\tanh").odd(), js "Math.tanh"]
                value |x| math::tanh(x),
                partial |x, _y| x.sech().square() }
            /// Hyperbolic secant, 1/cosh x.
            Sech sech { [Call("sech").on(&[(-9.0, 9.0)]).even(),
                js "(x) => (2 * Math.exp(-Math.abs(x))) / (1 + Math.exp(-2 * Math.abs(x)))"]
                value |x| math::sech(x), partial |x, y| -(y * x.tanh()) }
            /// Inverse of the hyperbolic sine.
            Asinh asinh { [Call("asinh").on(&[(-9.0, 9.0)]).odd(), js "Math.asinh"]
                value |x| math::asinh(x), partial |x, _y| x.hypot(1.0).recip() }
            /// Inverse of the hyperbolic cosine, on [1, ∞).
            Acosh acosh { [Call("acosh").on(&[(1.2, 9.0)]), js "Math.acosh"]
                value |x| math::acosh(x),
                partial |x, _y| ((x - 1.0).sqrt() * (x + 1.0).sqrt()).recip() }
            /// Inverse of the hyperbolic tangent, on [−1, 1].
            Atanh atanh { [Call("atanh").on(&[(-0.9, 0.9)]).odd(), js "Math.atanh"]
                where |x| x.abs() <= 1.0,
                value |x| math::atanh(x), partial |x, _y| x.one_minus_square().recip() }
            /// Magnitude, |x|. Its slope at 0 is 0.
            Abs abs { [Template("|{0}|", 9).on(&[(-9.0, 9.0)]).even()
                    .written(Magnitude(&Operand(0))), branch, js "Math.abs"]
                value |x| x.abs(), partial |x, _y| x.compare(0.0) }
            /// Rectifier, max(x, 0). Its slope at 0 is 0.
            Relu relu { [Call("relu").on(&[(-9.0, 9.0)]), branch, js "(x) => Math.max(x, 0)"]
                value |x| math::maximum(x, 0.0), partial |x, _y| x.compare(0.0).relu() }
            /// Logistic function, σ(x) = 1/(1 + e⁻ˣ).
            Sigmoid sigmoid { [Call("σ").on(&[(-9.0, 9.0)]).latex(r"\sigma"),
                js "(x) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)))"]
                value |x| math::sigmoid(x), partial |x, y| y * (-x).sigmoid() }
            /// Log-odds, ln(p/(1 − p)); the inverse of `sigmoid`.
            Logit logit { [Call("logit").on(&[(0.1, 0.9)]),
                js "(p) => p > 0.25 && p < 0.75 ? 2 * Math.atanh(2 * p - 1) \
                    : Math.log(p) - Math.log1p(-p)"]
                where |p| (0.0..=1.0).contains(&p),
                value |p| math::logit(p), partial |p, _y| (p * (-p + 1.0)).recip() }
            /// ln(1 + eˣ), finite for every finite x.
            Softplus softplus { [Call("softplus").on(&[(-9.0, 9.0)]), js "softplus"]
                value |x| math::softplus(x), partial |x, _y| x.sigmoid() }
            /// ln σ(x), finite for every finite x.
            LogSigmoid log_sigmoid { [Call("ln σ").on(&[(-9.0, 9.0)]).latex(r"\ln \sigma"),
                js "(x) => -softplus(-x)"]
                value |x| math::log_sigmoid(x), partial |x, _y| (-x).sigmoid() }
            /// Error function.
            Erf erf { [Call("erf").on(&[(-3.0, 3.0)]).odd(), js "erf"]
                value |x| math::erf(x), partial |x, _y| (-x.square()).exp() * FRAC_2_SQRT_PI }
        }
        binary {
            /// Power, self to the `exponent`. Negative bases take whole exponents only.
            Pow pow(exponent) { [Infix("^", 4).on(&[(0.2, 4.0), (-3.0, 3.0)]),
                js "(a, b) => (a === 1 ? 1 : a ** b)"]
                where |a, b| a >= 0.0 || is_whole(b),
                value |a, b| math::pow(a, b),
                first |a, b, _y| zero_at_origin(b, a, b * a.pow(b - 1.0)),
                second |a, _b, y| y.x_ln_y(a) }
            /// Angle of the point (`x`, self) from the x-axis, in (−π, π].
            Atan2 atan2(x) { [Call("atan2").on(&[(0.3, 9.0), (-9.0, 9.0)]), js "Math.atan2"]
                value |y, x| math::atan2(y, x),
                first |y, x, _r| { let r = y.hypot(x); x / r / r },
                second |y, x, _r| { let r = y.hypot(x); -(y / r / r) } }
            /// √(a² + b²) without overflow. Its slope at (0, 0) is (0, 0).
            Hypot hypot(other) { [Call("hypot").on(&[(0.3, 9.0), (-9.0, 9.0)]),
                js "(a, b) => Math.hypot(a, b)"]
                value |a, b| math::hypot(a, b),
                first |a, b, y| y.select_eq(0.0, (a + b).sqrt(), a / y),
                second |a, b, y| y.select_eq(0.0, (a + b).sqrt(), b / y) }
            /// The smaller of two; NaN if either is. A tie gives each half the slope.
            Min min(other) { [Call("min").on(&[(-9.0, 9.0), (-9.0, 9.0)]).latex(r"\min"),
                branch, js "(a, b) => Math.min(a, b)"]
                value |a, b| math::minimum(a, b),
                first |a, b, _y| (b.compare(a) + 1.0) * 0.5,
                second |a, b, _y| (a.compare(b) + 1.0) * 0.5 }
            /// The larger of two; NaN if either is. A tie gives each half the slope.
            Max max(other) { [Call("max").on(&[(-9.0, 9.0), (-9.0, 9.0)]).latex(r"\max"),
                branch, js "(a, b) => Math.max(a, b)"]
                value |a, b| math::maximum(a, b),
                first |a, b, _y| (a.compare(b) + 1.0) * 0.5,
                second |a, b, _y| (b.compare(a) + 1.0) * 0.5 }
            /// Order of two: −1, 0 or 1 as self is less than, equal to or greater
            /// than `other`; NaN if either is. Its slope is 0.
            Compare compare(other) { [Call("compare").on(&[(-9.0, 9.0), (-9.0, 9.0)])
                    .written(AgainstZero("sgn")),
                branch, js "(a, b) => (a < b ? -1 : a > b ? 1 : a === b ? 0 : NaN)"]
                value |a, b| math::compare(a, b),
                first |_a, _b, _y| T::from(0.0), second |_a, _b, _y| T::from(0.0) }
            /// ln(eᵃ + eᵇ) without overflow.
            LogAddExp log_add_exp(other) { [Call("log_add_exp").on(&[(-9.0, 9.0), (-9.0, 9.0)]),
                js "logAddExp"]
                value |a, b| math::log_add_exp(a, b),
                first |a, b, _y| (a - b).sigmoid(), second |a, b, _y| (b - a).sigmoid() }
            /// x·ln y for x = self, and 0 at x = 0: the term of an entropy.
            XLnY x_ln_y(y) { [Template("{0}·ln({1})", 2).on(&[(-9.0, 9.0), (0.1, 9.0)])
                    .written(Multiplied(&[Operand(0), Of("ln", &Operand(1))])),
                js "(x, y) => (x === 0 && y >= 0 ? 0 : x * Math.log(y))"]
                where |_x, y| y >= 0.0,
                value |x, y| math::x_ln_y(x, y),
                first |_x, y, _r| y.ln(), second |x, y, _r| zero_at_origin(x, y, x / y) }
            /// What an adjoint sends to an operand, adjoint·partial: absent, −0, if the adjoint,
            /// self, is, and +0 where the product is a zero. A recorded gradient has it
            /// instead of a product where an adjoint may be absent: see `gate`.
            Contribution contribution(partial) { [Infix("·", 2).on(&[(-9.0, 9.0), (-9.0, 9.0)]),
                branch, js "(a, p) => (Object.is(a, -0) ? a : a * p + 0)"]
                value |a, p| math::contribution(a, p),
                first |_a, p, _y| p, second |a, _p, _y| a }
            /// self where `partial` is not 0; where it is, absent, −0. An operation that picks
            /// sends nothing to an operand that it did not pick, and a recorded gradient finds
            /// out by this which one that is.
            Gate gate(partial) { [Call("gate").on(&[(-9.0, 9.0), (-9.0, 9.0)]),
                branch, js "(x, p) => (p === 0 ? -0 : x)"]
                value |x, p| if p == 0.0 { -0.0 } else { x },
                first |_x, p, _y| p.select_eq(0.0, 0.0, 1.0),
                second |_x, _p, _y| T::from(0.0) }
            /// self where `value` is a number; NaN where it is NaN. Outside of a domain the value
            /// of an operation is NaN, and so is a partial, also where its formula is finite: by
            /// this a recorded gradient finds it out.
            Within within(value) { [Call("within").on(&[(-9.0, 9.0), (-9.0, 9.0)]),
                branch, js "(x, y) => (Number.isNaN(y) ? NaN : x)"]
                value |x, y| if y.is_nan() { y } else { x },
                first |_x, y, _r| T::from(1.0).within(y),
                second |_x, _y, _r| T::from(0.0) }
        }
        nary {
            /// Sum of any number of terms, from left to right; −0 for none. One node.
            Sum sum(xs: &[Self]) => [xs], [] { [Infix("+", 1).on(&[(-9.0, 9.0); 5]),
                js "(xs) => xs.reduce((sum, x) => sum + x, -0)"]
                constants |_n| Some(0),
                value |n, x, _c| (0..n).fold(-0.0, |sum, i| sum + x(i)),
                partials |n, _x, _c, _y, each| for i in 0..n { each(i, T::from(1.0)) } }
            /// Product of any number of factors, from left to right; 1 for none. One node.
            Product product(xs: &[Self]) => [xs], [] { [Infix("·", 2).on(&[(-9.0, 9.0); 5]),
                js "(xs) => xs.reduce((product, x) => product * x, 1)"]
                constants |_n| Some(0),
                value |n, x, _c| (0..n).fold(1.0, |product, i| product * x(i)),
                partials |n, x, _c, _y, each|
                    for (i, partial) in products_of_others(n, x).into_iter().enumerate() { each(i, partial) } }
            /// Scalar product Σ aᵢ·bᵢ, from left to right; −0 for none. One node.
            ///
            /// `Real::nary` can give it an odd number of operands: the first is then the start,
            /// which the products are added to.
            ///
            /// # Panics
            /// If the lengths differ.
            Dot dot(a: &[Self], b: &[Self]) => [a, $crate::ops::same_length("factors", a, b)], []
                { [Call("dot").on(&[(-9.0, 9.0); 6]), js "dot"]
                constants |_n| Some(0),
                value |n, x, _c| {
                    let factors = DotOperands::among(n);
                    let mut sum = if factors.has_start { x(0) } else { -0.0 };
                    for i in factors.first() { sum += x(i) * x(i + factors.products) }
                    sum
                },
                partials |n, x, _c, _y, each| {
                    let factors = DotOperands::among(n);
                    if factors.has_start { each(0, T::from(1.0)) }
                    for i in factors.first() { each(i, x(i + factors.products)) }
                    for i in factors.second() { each(i, x(i - factors.products)) }
                } }
            /// `constant` + Σ wᵢ·xᵢ for constant weights, from left to right. One node.
            ///
            /// # Panics
            /// If the lengths differ.
            LinearCombination linear_combination(weights: &[f64], xs: &[Self], constant: f64)
                => [$crate::ops::same_length("operands", weights, xs)], [weights, &[constant]]
                { [Call("linear_combination").on(&[(-9.0, 9.0); 5]),
                js "(xs, own) => xs.reduce((sum, x, i) => sum + own[i] * x, own[xs.length])"]
                constants |n| Some(n + 1),
                value |n, x, c| c[..n].iter().enumerate().fold(c[n], |sum, (i, w)| sum + w * x(i)),
                partials |n, _x, c, _y, each|
                    for (i, w) in c[..n].iter().enumerate() { each(i, T::from(*w)) } }
            /// ln Σ e^{xᵢ} without overflow; −∞ for none. One node.
            LogSumExp log_sum_exp(xs: &[Self]) => [xs], []
                { [Call("log_sum_exp").on(&[(-9.0, 9.0); 5]).written(Of("ln", &AddedPowers)),
                js "logSumExp"]
                constants |_n| Some(0),
                value |n, x, _c| math::log_sum_exp(n, x),
                partials |n, x, _c, y, each|
                    for (i, partial) in softmax(n, x, y).into_iter().enumerate() { each(i, partial) } }
            /// `then` where a < b, `otherwise` elsewhere, for a = self. The comparison is
            /// recorded: a replay follows it.
            SelectLt select_lt(self, b: impl Into<Self>, then: impl Into<Self>,
                otherwise: impl Into<Self>)
                => [&[self, b.into(), then.into(), otherwise.into()]], []
                { [Template("({2} if {0} < {1} else {3})", 9).on(&[(-9.0, 9.0); 4])
                    .written(Choice("<")),
                branch, js "([a, b, then, otherwise]) => (a < b ? then : otherwise)"]
                constants |n| (n == 4).then_some(0),
                value |_n, x, _c| if x(0) < x(1) { x(2) } else { x(3) },
                partials |_n, x, _c, _y, each| {
                    let then = x(0).select_lt(x(1), 1.0, 0.0);
                    let otherwise = x(0).select_lt(x(1), 0.0, 1.0);
                    for (i, partial) in picked(then, otherwise).into_iter().enumerate() { each(i, partial) } } }
            /// `then` where a ≤ b, `otherwise` elsewhere, for a = self. Recorded.
            SelectLe select_le(self, b: impl Into<Self>, then: impl Into<Self>,
                otherwise: impl Into<Self>)
                => [&[self, b.into(), then.into(), otherwise.into()]], []
                { [Template("({2} if {0} ≤ {1} else {3})", 9).on(&[(-9.0, 9.0); 4])
                    .written(Choice("≤")),
                branch, js "([a, b, then, otherwise]) => (a <= b ? then : otherwise)"]
                constants |n| (n == 4).then_some(0),
                value |_n, x, _c| if x(0) <= x(1) { x(2) } else { x(3) },
                partials |_n, x, _c, _y, each| {
                    let then = x(0).select_le(x(1), 1.0, 0.0);
                    let otherwise = x(0).select_le(x(1), 0.0, 1.0);
                    for (i, partial) in picked(then, otherwise).into_iter().enumerate() { each(i, partial) } } }
            /// `then` where a = b, `otherwise` elsewhere, for a = self. Recorded.
            SelectEq select_eq(self, b: impl Into<Self>, then: impl Into<Self>,
                otherwise: impl Into<Self>)
                => [&[self, b.into(), then.into(), otherwise.into()]], []
                { [Template("({2} if {0} = {1} else {3})", 9).on(&[(-9.0, 9.0); 4])
                    .written(Choice("=")),
                branch, js "([a, b, then, otherwise]) => (a === b ? then : otherwise)"]
                constants |n| (n == 4).then_some(0),
                value |_n, x, _c| if x(0) == x(1) { x(2) } else { x(3) },
                partials |_n, x, _c, _y, each| {
                    let then = x(0).select_eq(x(1), 1.0, 0.0);
                    let otherwise = x(0).select_eq(x(1), 0.0, 1.0);
                    for (i, partial) in picked(then, otherwise).into_iter().enumerate() { each(i, partial) } } }
        }
        forms {
            /// Power with a whole exponent: `pow` with a constant operand.
            powi (self, exponent: i32) { self.pow(f64::from(exponent)) }
            /// Power with a constant exponent: `pow` with a constant operand.
            powf (self, exponent: f64) { self.pow(exponent) }
        }
    } };
}
pub(crate) use table;
