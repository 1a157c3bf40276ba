#!/usr/bin/env python3
"""The worst error, in ulp, of the kernels of src/math.

    cargo build --release --workspace --bench math    (prints the program's path with -v)
    pip install gmpy2
    python3 tests/golden/worst.py PROGRAM [COUNT]

Arguments are random over several ranges and all bit patterns, besides edges;
references have 100 bits, by MPFR. Prints one line for each kernel.
"""

import math
import random
import struct
import subprocess
import sys

import gmpy2
from gmpy2 import mpfr

gmpy2.set_context(gmpy2.context(precision=100, emax=10**6, emin=-(10**6)))
ONE = mpfr(1)


def sigmoid(x):
    return 1 / (1 + gmpy2.exp(-x))


def softplus(x):
    if x > 0:
        return x + gmpy2.log1p(gmpy2.exp(-x))
    return gmpy2.log1p(gmpy2.exp(x))


# name: reference, ranges
KERNELS = {
    "exp": (gmpy2.exp, [(-1, 1), (-50, 50), (-746, 710)]),
    "exp_m1": (gmpy2.expm1, [(-1, 1), (-3, 3), (-50, 50), (-1e-5, 1e-5), (0, 710)]),
    "ln": (gmpy2.log, [(0.5, 2), (0, 10), (0, 1e300), (0.99, 1.01)]),
    "ln_1p": (gmpy2.log1p, [(-0.5, 1), (-1, 10), (-1e-5, 1e-5), (0, 1e20)]),
    "sin": (gmpy2.sin, [(-1, 1), (-10, 10), (-1e4, 1e4), (-1.1e6, 1.1e6)]),
    "cos": (gmpy2.cos, [(-1, 1), (-10, 10), (-1e4, 1e4), (-1.1e6, 1.1e6)]),
    "tanh": (gmpy2.tanh, [(-1, 1), (-3, 3), (-20, 20), (-1e-5, 1e-5)]),
    "sech": (lambda x: 1 / gmpy2.cosh(x), [(-1, 1), (-20, 20), (-740, 740)]),
    "sigmoid": (sigmoid, [(-1, 1), (-40, 40), (-750, 50)]),
    "softplus": (softplus, [(-1, 1), (-40, 40), (-750, 750)]),
    "log_sigmoid": (lambda x: -softplus(-x), [(-1, 1), (-40, 40), (-750, 750)]),
}
EDGES = [0.0, 5e-324, 2.2250738585072014e-308, 1e-300, 1e-17, 1e-8, 0.25, 0.5, 1.0, 2.0, 36.0,
         37.5, 40.0, 708.0, 709.7, 709.78, 709.8, 745.0, 745.1, 746.0, 1e5, 1048576.0, 1e22,
         1e300, 1.7976931348623157e308, math.pi / 2, math.pi, math.log(2) / 2]


def arguments(ranges, count, positive):
    result = []
    for edge in EDGES:
        for x in (edge, -edge):
            result += [x, math.nextafter(x, math.inf), math.nextafter(x, -math.inf)]
    for low, high in ranges:
        result += [random.uniform(low, high) for _ in range(count // (len(ranges) + 1))]
    bits = (random.getrandbits(64) for _ in range(count // (len(ranges) + 1)))
    result += [struct.unpack("<d", struct.pack("<Q", b))[0] for b in bits]
    return [x for x in result if math.isfinite(x) and (x > 0 or not positive)]


def ulps(value, reference):
    """The distance in units of the last place of the rounded reference."""
    rounded = float(reference)
    if math.isinf(rounded) or math.isinf(value):
        return 0.0 if value == rounded else math.inf
    return float(abs(mpfr(value) - reference) / mpfr(math.ulp(rounded)))


def main():
    program = sys.argv[1]
    count = int(float(sys.argv[2])) if len(sys.argv) > 2 else 20_000_000
    random.seed(1)
    for name, (reference, ranges) in KERNELS.items():
        worst, at, done = 0.0, 0.0, 0
        while done < count:
            xs = arguments(ranges, min(count - done, 1_000_000), name == "ln")
            if name == "ln_1p":
                xs = [x for x in xs if x > -1]
            packed = struct.pack(f"<{len(xs)}d", *xs)
            run = subprocess.run([program, "--values", name], input=packed, capture_output=True,
                                 check=True)
            values = struct.unpack(f"<{len(xs)}d", run.stdout)
            for x, value in zip(xs, values):
                error = ulps(value, reference(mpfr(x)))
                if not error <= worst:
                    worst, at = error, x
            done += max(len(xs), 1)
        print(f"{name:<12} {worst:.3f} ulp at {at!r} of {done}", flush=True)


main()
