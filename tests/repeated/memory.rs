//! How many bytes does a node cost, and does anything allocate once a tape has
//! its memory?

use allocation_counter::measure;
use chainrule::{Tape, Var};

fn record<'t>(tape: &'t Tape, n: usize) -> (Var<'t>, Var<'t>) {
    let x = tape.var(0.5);
    let mut y = x;
    while tape.len() < n {
        y = y.sin() * x + x;
    }
    (x, y)
}

fn bytes_per(n: usize, run: impl FnOnce()) -> f64 {
    measure(run).bytes_max as f64 / n as f64
}

#[test]
fn a_node_costs_16_bytes_and_its_adjoint_8() {
    let n = 1 << 20;
    let per_node = bytes_per(n, || {
        record(&Tape::with_capacity(n + 3), n);
    });
    assert!((16.0..16.01).contains(&per_node), "{per_node}");

    let tape = Tape::new();
    let (x, y) = record(&tape, n);
    let per_node = bytes_per(n, || assert!(y.backward().wrt(x).is_finite()));
    assert!((8.0..8.01).contains(&per_node), "{per_node}");
}

#[test]
fn a_constant_operand_costs_8_bytes_and_its_idle_room() {
    let n = 1 << 20;
    let tape = Tape::with_capacity(n);
    let constants = measure(|| {
        let x = tape.var(0.5);
        (1..n).fold(x, |y, _| y * 0.9);
    });
    let per_node = constants.bytes_current as f64 / n as f64;
    assert!((8.0..=10.0).contains(&per_node), "{per_node}");
}

#[test]
fn a_tape_that_grows_leaves_no_more_than_a_quarter_idle() {
    for n in [100_000, 1_000_000] {
        let tape = Tape::new();
        record(&tape, n);
        assert!(tape.capacity() <= n + n / 4 + 4, "{}", tape.capacity());
    }
}

#[test]
fn an_empty_tape_allocates_nothing() {
    assert_eq!(measure(|| drop(Tape::new())).count_total, 0);
}

#[test]
fn from_the_second_round_on_nothing_allocates() {
    let mut tape = Tape::new();
    let mut buffer = Vec::new();
    let mut round = |tape: &mut Tape, n: usize| {
        tape.clear();
        let (x, y) = record(tape, n);
        let wide = Var::sum(&[x, y, x]) + Var::linear_combination(&[1.0, 2.0], &[x, y], 3.0);
        let adjoints = tape.backward_with(&[(wide, 1.0)], std::mem::take(&mut buffer));
        assert!(adjoints.wrt(x).is_finite());
        buffer = adjoints.into_buffer();
        tape.set(x, 0.25);
        tape.forward();
    };
    round(&mut tape, 1000);
    let again = measure(|| {
        round(&mut tape, 1000);
        round(&mut tape, 500);
    });
    assert_eq!(again.count_total, 0);
}

#[test]
fn from_the_second_round_on_the_same_small_graph_allocates_nothing() {
    for cleared_first in [false, true] {
        let (mut tape, mut buffer) = (Tape::new(), Vec::new());
        let mut round = |tape: &mut Tape, clear: bool| {
            if clear {
                tape.clear();
            }
            let (x, y) = record(tape, 99);
            let y = (y * 3.0).relu() / 5.0;
            let adjoints = tape.backward_with(&[(y, 1.0)], std::mem::take(&mut buffer));
            assert!(adjoints.wrt(x).is_finite());
            buffer = adjoints.into_buffer();
            if !clear {
                tape.clear();
            }
        };
        round(&mut tape, cleared_first);
        assert!(tape.capacity() >= 256); // which the recording cache takes
        let again = measure(|| (0..200).for_each(|_| round(&mut tape, cleared_first)));
        assert_eq!(again.count_total, 0);
    }
}

#[test]
fn from_the_second_round_on_the_same_loop_allocates_nothing() {
    for count in [100, 1000] {
        let (mut tape, mut buffer, mut rounds) = (Tape::new(), Vec::new(), 0);
        let mut round = |tape: &mut Tape| {
            tape.clear();
            let a = tape.var(0.5);
            let each = (0..count).map(|i| (a * i as f64).tanh());
            let sum = each.fold(a, |sum, x| sum * 0.5 + x * sum);
            let adjoints = tape.backward_with(&[(sum, 1.0)], std::mem::take(&mut buffer));
            assert!(adjoints.wrt(a).is_finite());
            buffer = adjoints.into_buffer();
            rounds += 1;
        };
        round(&mut tape);
        let again = measure(|| (0..50).for_each(|_| round(&mut tape)));
        assert_eq!((again.count_total, rounds), (0, 51));
    }
}

/// As the documentation of `clear` says.
#[test]
fn repetition_takes_11_kib_and_64_more_for_loops() {
    let kib = |tape: &mut Tape| measure(|| tape.clear()).bytes_current as f64 / 1024.0;
    let mut tape = Tape::new();
    let first = kib(&mut tape);
    assert!((10.5..=11.5).contains(&first), "{first}");
    assert_eq!(measure(|| tape.clear()).count_total, 0);
    for (count, most) in [(100, 46.0), (10_000, 64.0)] {
        let mut tape = Tape::new();
        let a = tape.var(0.5);
        let rows = (0..count).map(|i| (a * i as f64).tanh());
        let sum: Var<'_> = rows.sum();
        assert!(sum.backward().wrt(a).is_finite());
        let more = kib(&mut tape);
        assert!((most - 4.0..=most).contains(&more), "{count}: {more}");
        assert_eq!(measure(|| tape.clear()).count_total, 0);
    }

    let mut changed = Tape::new();
    let x = changed.var(1.0);
    changed.set(x, 2.0);
    changed.clear();
    assert!(changed.capacity() >= 256);
}
