#!/usr/bin/env python3
"""Makes the golden tables of tests/numbers/accuracy.rs: one CSV for each operation.

    python3 tests/golden/make.py          (needs mpmath)

Each row has the operands, exact to the bit; the value; the first partials; and
the second partials, each with the size of the largest term of its sum. Numbers
that a test compares with are a sum of two doubles, high and low, so that errors
far below one ulp can be seen. Everything is computed from the exact operands
with 50 digits, and with 800 where that would cancel or an argument is huge.
"""

import math
import os
import random

from mpmath import mp, mpf, inf

HERE = os.path.dirname(os.path.abspath(__file__))
MAX = 1.7976931348623157e308
TINY = [5e-324, 1e-310, 2.2250738585072014e-308, 1e-300, 1e-200, 1e-160, 1e-100, 1e-20, 1e-16,
        1e-12, 1e-8, 1e-5, 1e-3]
USUAL = [0.1, 0.25, 0.3, 0.5, 0.7, 0.9, 1.0, 1.1, 1.5, 2.0, 2.5, 3.0, 5.0, 7.5, 10.0]
LARGE = [18.0, 19.1, 25.0, 36.0, 37.0, 40.0, 100.0, 372.0, 700.0, 709.0, 745.0, 800.0, 1e5, 1e8]
HUGE = [1e16, 1e20, 1e100, 1e150, 1e154, 1e155, 1e200, 1e300, MAX]
up = lambda x: math.nextafter(x, inf)
down = lambda x: math.nextafter(x, -inf)


def both(xs):
    return [s * x for x in xs for s in (1.0, -1.0)]


REAL = both(TINY + USUAL + LARGE + HUGE)
POSITIVE = TINY + USUAL + LARGE + HUGE + [up(1.0), down(1.0), 0.999, 1.001]
UNIT = both(TINY + [0.1, 0.2, 0.3, 0.5, 0.7, 0.75, 0.8, 0.9, 0.99, 0.999, 1 - 1e-6, 1 - 1e-9,
                    1 - 1e-12, down(1.0)])


def op(name, points, value, firsts, seconds):
    """seconds: for each second partial, the terms of its sum."""
    return name, points, value, firsts, seconds


# A few names, so that the formulas below read as mathematics.
exp, log, sin, cos, tan = mp.exp, mp.log, mp.sin, mp.cos, mp.tan
sqrt, cosh, sinh, tanh, pi = mp.sqrt, mp.cosh, mp.sinh, mp.tanh, mp.pi
sig = lambda x: 1 / (1 + exp(-x))
ln2, ln10 = mp.ln2, mp.ln10

UNARY = [
    op("neg", REAL, lambda x: -x, [lambda x: -1], [lambda x: [0]]),
    op("recip", REAL, lambda x: 1 / x, [lambda x: -1 / x**2], [lambda x: [2 / x**3]]),
    op("square", REAL, lambda x: x * x, [lambda x: 2 * x], [lambda x: [2]]),
    op("one_minus_square", UNIT + REAL, lambda x: 1 - x * x, [lambda x: -2 * x],
       [lambda x: [-2]]),
    op("sqrt", POSITIVE, sqrt, [lambda x: 1 / (2 * sqrt(x))], [lambda x: [-1 / (4 * x * sqrt(x))]]),
    op("cbrt", REAL, lambda x: mp.sign(x) * abs(x) ** (mpf(1) / 3),
       [lambda x: abs(x) ** (-mpf(2) / 3) / 3],
       [lambda x: [-mp.sign(x) * 2 * abs(x) ** (-mpf(5) / 3) / 9]]),
    op("exp", REAL, exp, [exp], [lambda x: [exp(x)]]),
    op("exp_m1", REAL, mp.expm1, [exp], [lambda x: [exp(x)]]),
    op("exp2", REAL, lambda x: 2**x, [lambda x: 2**x * ln2()], [lambda x: [2**x * ln2() ** 2]]),
    op("ln", POSITIVE, log, [lambda x: 1 / x], [lambda x: [-1 / x**2]]),
    op("ln_1p", TINY + USUAL + LARGE + HUGE + [-x for x in UNIT if x > 0], mp.log1p,
       [lambda x: 1 / (1 + x)], [lambda x: [-1 / (1 + x) ** 2]]),
    op("log2", POSITIVE, lambda x: log(x) / ln2(), [lambda x: 1 / (x * ln2())],
       [lambda x: [-1 / (x**2 * ln2())]]),
    op("log10", POSITIVE, lambda x: log(x) / ln10(), [lambda x: 1 / (x * ln10())],
       [lambda x: [-1 / (x**2 * ln10())]]),
    op("sin", REAL, sin, [cos], [lambda x: [-sin(x)]]),
    op("cos", REAL, cos, [lambda x: -sin(x)], [lambda x: [-cos(x)]]),
    op("tan", REAL + both([1.57, 1.5707963267948966]), tan, [lambda x: 1 / cos(x) ** 2],
       [lambda x: [2 * tan(x) / cos(x) ** 2]]),
    op("asin", UNIT, mp.asin, [lambda x: 1 / sqrt(1 - x**2)],
       [lambda x: [x / sqrt(1 - x**2) ** 3]]),
    op("acos", UNIT, mp.acos, [lambda x: -1 / sqrt(1 - x**2)],
       [lambda x: [-x / sqrt(1 - x**2) ** 3]]),
    op("atan", REAL, mp.atan, [lambda x: 1 / (1 + x**2)], [lambda x: [-2 * x / (1 + x**2) ** 2]]),
    op("sinh", REAL, sinh, [cosh], [lambda x: [sinh(x)]]),
    op("cosh", REAL, cosh, [sinh], [lambda x: [cosh(x)]]),
    op("tanh", REAL, tanh, [lambda x: 1 / cosh(x) ** 2],
       [lambda x: [8 * sig(2 * x) * sig(-2 * x) ** 2, -8 * sig(2 * x) ** 2 * sig(-2 * x)]]),
    op("sech", REAL, lambda x: 1 / cosh(x), [lambda x: -tanh(x) / cosh(x)],
       [lambda x: [tanh(x) ** 2 / cosh(x), -1 / cosh(x) ** 3]]),
    op("asinh", REAL, mp.asinh, [lambda x: 1 / sqrt(1 + x**2)],
       [lambda x: [-x / sqrt(1 + x**2) ** 3]]),
    op("acosh", [x for x in POSITIVE if x > 1] + [1.01, 1 + 1e-9, 1 + 1e-12, 1 + 1e-5, 1.2, 1.3,
       1.7, 1.9, 4.0, 6.0, 8.0, 12.0, 15.0, 50.0, 1e3, 1e12],
       mp.acosh, [lambda x: 1 / (sqrt(x - 1) * sqrt(x + 1))],
       [lambda x: [-x / (sqrt(x - 1) * sqrt(x + 1)) ** 3]]),
    op("atanh", UNIT, mp.atanh, [lambda x: 1 / (1 - x**2)], [lambda x: [2 * x / (1 - x**2) ** 2]]),
    op("abs", REAL, abs, [mp.sign], [lambda x: [0]]),
    op("relu", REAL, lambda x: x if x > 0 else mpf(0), [lambda x: 1 if x > 0 else 0],
       [lambda x: [0]]),
    op("sigmoid", REAL, sig, [lambda x: sig(x) * sig(-x)],
       [lambda x: [sig(x) * sig(-x) ** 2, -(sig(x) ** 2) * sig(-x)]]),
    op("logit", [x for x in UNIT if x > 0] + [0.4, 0.45, 0.49, 0.499, up(0.5), down(0.5), 0.501,
       0.51, 0.55, 0.6, 1e-6, 1e-4, 0.01, 0.05, 0.15, 0.25, down(0.25)],
       lambda p: log(p / (1 - p)), [lambda p: 1 / (p * (1 - p))],
       [lambda p: [-1 / p**2, 1 / (1 - p) ** 2]]),
    op("softplus", REAL, lambda x: mp.log1p(exp(x)), [sig], [lambda x: [sig(x) * sig(-x)]]),
    op("log_sigmoid", REAL, lambda x: -mp.log1p(exp(-x)), [lambda x: sig(-x)],
       [lambda x: [-sig(x) * sig(-x)]]),
    op("erf", REAL + both([4.0, 5.5, 6.0, 15.0, 20.0, 26.0]), mp.erf,
       [lambda x: 2 / sqrt(pi) * exp(-(x**2))], [lambda x: [-4 * x / sqrt(pi) * exp(-(x**2))]]),
]


def pairs(first, second, count=90, near=()):
    """Every few combinations, seeded; and some given ones."""
    rng = random.Random(1)
    return list(near) + [(rng.choice(first), rng.choice(second)) for _ in range(count)]


def wide(rng):
    return rng.choice([-1, 1]) * rng.uniform(1, 10) * 10.0 ** rng.randint(-12, 12)


RNG = random.Random(2)
WIDE = [wide(RNG) for _ in range(60)]
zero = lambda *_: [0]
NEAR = [(x, y) for x in (1.0, -2.0, 3.5, 1e-8, -7.25) for y in (1.0, 2.5, -3.0, 1e-5, 40.0)]
EQUAL = [(x, x) for x in (1.0, -2.0, 0.3, 30.0, -700.0)]
# ln(e^a + e^b) near 0
CANCEL = [(-0.6931471805599453, -0.6931471805599453), (-0.7, -0.6862), (-1e-3, -6.9),
          (-0.1, -2.35), (-0.5, -0.93)]

BINARY = [
    op("add", pairs(REAL, REAL, near=NEAR), lambda a, b: a + b, [lambda a, b: 1] * 2, [zero] * 3),
    op("sub", pairs(REAL, REAL, near=NEAR), lambda a, b: a - b,
       [lambda a, b: 1, lambda a, b: -1], [zero] * 3),
    op("mul", pairs(REAL, REAL, near=NEAR), lambda a, b: a * b,
       [lambda a, b: b, lambda a, b: a], [zero, lambda a, b: [1], zero]),
    op("div", pairs(WIDE, WIDE, near=NEAR) + pairs(REAL, REAL, 60), lambda a, b: a / b,
       [lambda a, b: 1 / b, lambda a, b: -a / b**2],
       [zero, lambda a, b: [-1 / b**2], lambda a, b: [2 * a / b**3]]),
    op("pow", [(x, y) for x in (0.1, 0.5, 0.999, up(1.0), 1.5, 3.0, 1e-5, 1e10, 1e-300, 1e300)
               for y in (-3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 10.0, 100.5)]
       + [(1 + 1e-9, 1e9), (0.99, -3e4), (2.0, 1000.0), (1.0, 1e300), (2.0, -1040.0)],
       lambda a, b: a**b,
       [lambda a, b: b * a ** (b - 1), lambda a, b: a**b * log(a)],
       [lambda a, b: [b * (b - 1) * a ** (b - 2)],
        lambda a, b: [a ** (b - 1), b * a ** (b - 1) * log(a)],
        lambda a, b: [a**b * log(a) ** 2]]),
    op("atan2", pairs(WIDE, WIDE, near=NEAR) + pairs(REAL, REAL, 60),
       lambda y, x: mp.atan2(y, x),
       [lambda y, x: x / (x * x + y * y), lambda y, x: -y / (x * x + y * y)],
       [lambda y, x: [-2 * x * y / (x * x + y * y) ** 2],
        lambda y, x: [1 / (x * x + y * y), -2 * x * x / (x * x + y * y) ** 2],
        lambda y, x: [2 * x * y / (x * x + y * y) ** 2]]),
    op("hypot", pairs(WIDE, WIDE, near=NEAR) + pairs(REAL, REAL, 60),
       lambda a, b: sqrt(a * a + b * b),
       [lambda a, b: a / sqrt(a * a + b * b), lambda a, b: b / sqrt(a * a + b * b)],
       [lambda a, b: [1 / sqrt(a * a + b * b), -a * a / sqrt(a * a + b * b) ** 3],
        lambda a, b: [-a * b / sqrt(a * a + b * b) ** 3],
        lambda a, b: [1 / sqrt(a * a + b * b), -b * b / sqrt(a * a + b * b) ** 3]]),
    op("min", [p for p in pairs(REAL, REAL, near=NEAR) if p[0] != p[1]], min,
       [lambda a, b: 1 if a < b else 0, lambda a, b: 1 if b < a else 0], [zero] * 3),
    op("max", [p for p in pairs(REAL, REAL, near=NEAR) if p[0] != p[1]], max,
       [lambda a, b: 1 if a > b else 0, lambda a, b: 1 if b > a else 0], [zero] * 3),
    op("compare", [p for p in pairs(REAL, REAL, near=NEAR) if p[0] != p[1]],
       lambda a, b: mp.sign(a - b), [lambda a, b: 0] * 2, [zero] * 3),
    op("log_add_exp", pairs(both(USUAL + LARGE), both(USUAL + LARGE), near=NEAR + EQUAL + CANCEL),
       lambda a, b: log(exp(a) + exp(b)),
       [lambda a, b: sig(a - b), lambda a, b: sig(b - a)],
       [lambda a, b: [sig(a - b) * sig(b - a)], lambda a, b: [-sig(a - b) * sig(b - a)],
        lambda a, b: [sig(a - b) * sig(b - a)]]),
    op("x_ln_y", pairs(WIDE, [abs(x) for x in WIDE]) + pairs(REAL, POSITIVE, 40)
       + [(0.0, y) for y in (1e-300, 1e-5, 0.5, 1.0, 2.0, 1e300)],
       lambda x, y: x * log(y), [lambda x, y: log(y), lambda x, y: x / y],
       [zero, lambda x, y: [1 / y], lambda x, y: [-x / y**2]]),
    op("contribution", pairs(REAL, REAL, near=NEAR), lambda a, p: a * p,
       [lambda a, p: p, lambda a, p: a], [zero, lambda a, p: [1], zero]),
    op("within", pairs(REAL, REAL, near=NEAR), lambda x, y: x, [lambda x, y: 1, lambda x, y: 0],
       [zero] * 3),
    op("gate", pairs(REAL, REAL, near=NEAR), lambda x, p: x, [lambda x, p: 1, lambda x, p: 0],
       [zero] * 3),
]


def lists(count, least=2, most=5, scale=12):
    rng = random.Random(3)
    row = lambda: [rng.choice([wide(rng), rng.uniform(-scale, scale)])
                   for _ in range(rng.randint(least, most))]
    return [row() for _ in range(count)]


def total(terms):
    return mp.fsum(terms)


def lse(x):
    return log(mp.fsum(exp(v) for v in x))


def soft(x, i):
    return exp(x[i] - lse(x))


# Value; partial i; second partial i, j as terms. The size of the largest term of
# the value bounds its rounding: these sums may cancel.
NARY = [
    ("sum", lists(60), lambda x: list(x), lambda x, i: [1], lambda x, i, j: [0]),
    ("product", lists(50) + [[0.0, 3.0, -2.0], [0.0, 0.0, 5.0], [1e200, 1e-200, 3.0]],
     lambda x: [mp.fprod(x)], lambda x, i: [mp.fprod(x[:i] + x[i + 1:])],
     lambda x, i, j: [0] if i == j else [mp.fprod(v for k, v in enumerate(x) if k not in (i, j))]),
    ("dot", [x for x in lists(120, 4, 6) if len(x) % 2 == 0],
     lambda x: [x[i] * x[i + len(x) // 2] for i in range(len(x) // 2)],
     lambda x, i: [x[(i + len(x) // 2) % len(x)]],
     lambda x, i, j: [1 if (i - j) % len(x) == len(x) // 2 else 0]),
    ("linear_combination", lists(60),
     lambda x: [mpf(1.5)] + [(i - mpf(1.25)) * v for i, v in enumerate(x)],
     lambda x, i: [i - mpf(1.25)], lambda x, i, j: [0]),
    ("log_sum_exp", [[v for v in x if abs(v) < 700] + [1.0] for x in lists(60)]
     + [[a, b] for a, b in CANCEL + EQUAL] + [[700.0, 710.0, -5.0], [800.0, 801.0]],
     lambda x: [lse(x)], lambda x, i: [soft(x, i)],
     lambda x, i, j: [soft(x, i), -soft(x, i) * soft(x, j)] if i == j
     else [-soft(x, i) * soft(x, j)]),
]


def parts(x):
    """High and low double of a number; overflow is infinite."""
    x = mpf(x)
    high = float(x)
    if math.isinf(high):
        return f"{high!r},0"
    return f"{high!r},{float(x - mpf(high))!r}"


def size(terms):
    return f"{float(max(abs(mpf(t)) for t in terms))!r}"


def precise(xs):
    """Digits that survive the largest argument and the worst cancellation."""
    return 50 if all(x == 0 or 1e-5 < abs(x) < 1e5 for x in xs) else 800


def write(name, columns, rows):
    with open(os.path.join(HERE, name + ".csv"), "w", encoding="ascii") as file:
        file.write(columns + "\n")
        file.writelines(row + "\n" for row in rows)


def main():
    for name, points, value, firsts, seconds in UNARY + BINARY:
        rows = []
        for point in dict.fromkeys(p if isinstance(p, tuple) else (p,) for p in points):
            with mp.workdps(precise(point)):
                x = [mpf(v) for v in point]
                cells = [repr(v) for v in point] + [parts(value(*x))]
                cells += [parts(first(*x)) for first in firsts]
                for second in seconds:
                    terms = second(*x)
                    cells += [parts(total(terms)), size(terms)]
                rows.append(",".join(cells))
        head = "operands; value; firsts; seconds with the size of their largest term"
        write(name, "# " + head, rows)
    for name, points, value, first, second in NARY:
        rows = []
        for point in points:
            with mp.workdps(precise(point)):
                x, n = [mpf(v) for v in point], len(point)
                terms = value(x)
                cells = [str(n)] + [repr(float(v)) for v in point] + [parts(total(terms)), size(terms)]
                cells += [parts(total(first(x, i))) for i in range(n)]
                for i in range(n):
                    for j in range(i, n):
                        cells += [parts(total(second(x, i, j))), size(second(x, i, j))]
                rows.append(",".join(cells))
        head = "n; operands; value and its largest term; firsts; seconds i ≤ j with theirs"
        write(name, "# " + head.replace("≤", "<="), rows)


main()
