//! Does every text the crate can say say what was given, what was expected and
//! where? And does every misuse panic at the caller's line, with state as it was?

use chainrule::{Dual, Error, NonFinite, Op, Real, Tape, Var, hvp, jvp, vjp};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    /// The text and the file of a panic, while one is expected.
    static PANIC: RefCell<Option<(String, String)>> = const { RefCell::new(None) };
}

/// The text of the panic and the file it points to.
fn panic_of<R>(run: impl FnOnce() -> R) -> (String, String) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let default = take_hook();
        set_hook(Box::new(move |info| {
            let text = info
                .payload()
                .downcast_ref::<String>()
                .cloned()
                .unwrap_or_default();
            let file = info
                .location()
                .map_or(String::new(), |at| at.file().to_owned());
            let expected = PANIC.with(|panic| panic.borrow().is_some());
            if expected {
                PANIC.with(|panic| *panic.borrow_mut() = Some((text, file)));
            } else {
                default(info);
            }
        }));
    });
    PANIC.with(|panic| *panic.borrow_mut() = Some(Default::default()));
    let outcome = catch_unwind(AssertUnwindSafe(run));
    let panic = PANIC.with(RefCell::take);
    assert!(outcome.is_err(), "no panic");
    panic.unwrap()
}

/// Panics with this text, at a line of this file.
fn misuse<R>(expected: &str, run: impl FnOnce() -> R) {
    let (text, file) = panic_of(run);
    assert_eq!(text, expected);
    assert_eq!(file, file!(), "{text}");
}

#[test]
fn operands_of_two_tapes_are_refused_everywhere() {
    let (one, two) = (Tape::new(), Tape::new());
    let x = one.var(1.0).named("x");
    let y = two.var(2.0); // the same index on the other tape
    let (xx, yy) = (x * 3.0, y * 2.0);
    let both = "node 0 (x = 1) and node 0 (input = 2) belong to two tapes";
    misuse(both, || x + y);
    misuse(both, || x * y);
    misuse(both, || x.pow(y));
    misuse(both, || {
        let mut sum = x;
        sum += y;
    });
    misuse(both, || Var::sum(&[x, Var::from(1.0), y]));
    misuse(both, || Var::dot(&[x], &[y]));
    misuse(both, || x.select_lt(0.0, y, 1.0));
    let other = "node 0 (input = 2) belongs to another tape";
    let grad = xx.backward();
    misuse(other, || grad.wrt(y));
    misuse(other, || grad.wrt_all(&[x, y]));
    misuse(other, || grad[y]);
    misuse(other, || grad.node(y));
    misuse(other, || xx.partial(y));
    misuse(other, || xx.gradient_graph(&[y]));
    misuse(other, || xx.hvp(&[y], &[1.0]));
    misuse(other, || xx.hessian(&[y]));
    misuse(other, || one.set(y, 1.0));
    misuse("node 1 (mul = 4) belongs to another tape", || {
        one.backward_with(&[(x, 1.0), (yy, 1.0)], Vec::new())
    });
    misuse(other, || chainrule::derivative(xx, y));
    assert_eq!((one.len(), two.len()), (2, 2), "nothing was recorded");
}

#[test]
fn wrong_lengths_are_refused_with_both_numbers() {
    let tape = Tape::new();
    let x = tape.vars(&[1.0, 2.0, 3.0]);
    misuse("2 factors given, 3 expected", || Var::dot(&x, &x[..2]));
    misuse("3 operands given, 2 expected", || {
        Var::linear_combination(&[1.0, 2.0], &x, 0.0)
    });
    misuse("1 component of the direction given, 3 expected", || {
        x[0].hvp(&x, &[1.0])
    });
    misuse("1 component of the direction given, 2 expected", || {
        jvp(|x| vec![x[0]], &[1.0, 2.0], &[1.0])
    });
    misuse("1 component of the direction given, 2 expected", || {
        hvp(|x| x[0], &[1.0, 2.0], &[1.0])
    });
    misuse("2 seeds given, 1 expected", || {
        vjp(|x| vec![x[0]], &[1.0], &[1.0, 2.0])
    });
    assert_eq!(tape.len(), 3);
}

#[test]
fn names_are_refused_and_the_tape_stays_as_it_was() {
    let tape = Tape::new();
    let (x, y) = (tape.var(1.0).named("x"), tape.var(2.0));
    let taken = "the name \"x\" is taken: node 0 has it";
    assert_eq!(y.try_named("x").unwrap_err().to_string(), taken);
    misuse(taken, || y.named("x"));
    assert_eq!((y.name(), tape.lookup("x").unwrap().id()), (None, x.id()));
    misuse(
        "node 0 is named \"x\" and cannot be named \"z\" as well",
        || x.named("z"),
    );
    assert!(tape.lookup("z").is_err());
    misuse(
        "the constant 3 cannot be named \"c\": only nodes of a tape have names",
        || Var::from(3.0).named("c"),
    );
    let unknown = tape.lookup("nobody").unwrap_err().to_string();
    assert_eq!(unknown, "no node is named \"nobody\"; the tape has 1 name");
}

#[test]
fn a_full_tape_refuses_and_stays_as_it_was() {
    let tape = Tape::with_limit(3);
    let x = tape.vars(&[1.0, 2.0, 3.0]);
    let full = "the tape is full: it records at most 3 nodes";
    assert_eq!(tape.try_var(1.0).unwrap_err().to_string(), full);
    misuse(full, || tape.var(1.0));
    misuse(full, || tape.vars(&[1.0]));
    misuse(full, || x[0] + 1.0);
    misuse(full, || x[0].exp());
    misuse(full, || Var::sum(&x));
    misuse(full, || Var::linear_combination(&[1.0; 3], &x, 1.0));
    assert_eq!(tape.len(), 3);
    assert_eq!(x[2].value(), 3.0);
    assert_eq!(x[2].backward().wrt(x[2]), 1.0);
}

#[test]
fn only_inputs_can_be_set_or_moved() {
    let tape = Tape::new();
    let x = tape.var(1.0);
    let y = (x * 2.0).named("y");
    let not_input = "node 1 (y = 2) is not an input: its value follows from its operands";
    misuse(not_input, || tape.set(y, 1.0));
    misuse(not_input, || y.hvp(&[y], &[1.0]));
    misuse("`set` needs a node of a tape, and 7 is a constant", || {
        tape.set(Var::from(7.0), 1.0);
    });
    misuse(
        "a direction needs a node of a tape, and 7 is a constant",
        || y.hvp(&[Var::from(7.0)], &[1.0]),
    );
    assert_eq!((x.value(), y.value()), (1.0, 2.0));
}

#[test]
fn an_edge_that_does_not_exist_is_refused() {
    let tape = Tape::new();
    let x = tape.var(1.0);
    let y = x * 2.0;
    let z = y.exp();
    let text = "node 0 (input = 1) is not an operand of node 2 (exp = 7.38905609893065): a \
                partial is one edge of the graph; `derivative` follows all paths";
    misuse(text, || z.partial(x));
    misuse(
        "`partial` needs a node of a tape, and 2 is a constant",
        || Var::from(2.0).partial(x),
    );
    misuse("`node` needs a node of a tape, and 2 is a constant", || {
        z.backward().node(Var::from(2.0))
    });
}

#[test]
fn the_view_of_a_node_is_refused_when_values_have_changed() {
    let tape = Tape::new();
    let x = tape.var(1.0);
    let y = x.square();
    let grad = y.backward();
    tape.set(x, 2.0);
    let outdated = "the tape's values have changed since these adjoints were swept: sweep again";
    misuse(outdated, || grad.node(x));
    misuse(outdated, || grad.check_finite());
    assert_eq!(grad.wrt(x), 2.0, "what was swept stays");
    let between = y.backward();
    tape.forward();
    misuse(outdated, || grad.node(x));
    misuse(outdated, || between.node(x));
    assert_eq!(y.backward().node(x).adjoint, 4.0);
}

#[test]
fn a_node_that_is_not_there_is_refused() {
    let (long, short) = (Tape::new(), Tape::new());
    long.vars(&[1.0; 5]);
    let last = long.var(1.0).id().unwrap();
    misuse("there is no node 5: the tape has 0 nodes", || {
        short.node(last)
    });
    misuse("there is no node 5: the tape has 0 nodes", || {
        short.at(last)
    });
}

#[test]
fn the_wrong_number_of_operands_is_refused_on_every_number_type() {
    let tape = Tape::new();
    let x = tape.var(1.0);
    let dual = Dual::new(1.0, 1.0);
    misuse("the operation add cannot take 1 operand", || {
        Var::unary(Op::Add, x)
    });
    misuse("the operation add cannot take 1 operand", || {
        f64::unary(Op::Add, 1.0)
    });
    misuse("the operation add cannot take 1 operand", || {
        Dual::unary(Op::Add, dual)
    });
    misuse("the operation exp cannot take 2 operands", || {
        Var::binary(Op::Exp, x, x)
    });
    misuse("the operation exp cannot take 2 operands", || {
        Dual::binary(Op::Exp, dual, dual)
    });
    misuse("the operation exp cannot take 2 operands", || {
        Var::nary(Op::Exp, &[&[x, x]], &[])
    });
    misuse("the operation select_lt cannot take 3 operands", || {
        Var::nary(Op::SelectLt, &[&[x; 3]], &[])
    });
    misuse("the operation select_lt cannot take 3 operands", || {
        Dual::nary(Op::SelectLt, &[&[dual; 3]], &[])
    });
    misuse("the operation input cannot take 1 operand", || {
        Var::unary(Op::Input, x)
    });
    misuse("the operation sigmoid cannot take 2 operands", || {
        Op::Sigmoid.print(&["a", "b"])
    });
    assert_eq!(tape.len(), 1);
}

#[test]
fn one_of_a_kind_is_no_plural() {
    let length = |what: &'static str, found: usize| {
        let expected = 3;
        let error = Error::WrongLength {
            what,
            found,
            expected,
        };
        error.to_string()
    };
    assert_eq!(length("inputs", 1), "1 input given, 3 expected");
    assert_eq!(length("inputs", 0), "0 inputs given, 3 expected");
    assert_eq!(length("inputs", 11), "11 inputs given, 3 expected");
    assert_eq!(
        length("rows in a column", 1),
        "1 row in a column given, 3 expected"
    );
    let texts = [
        (
            Error::Capacity {
                what: "nodes",
                limit: 1,
            },
            "records at most 1 node",
        ),
        (Error::NoSuchNode { node: 1, len: 1 }, "the tape has 1 node"),
        (
            Error::Arity {
                op: "add",
                found: 1,
            },
            "cannot take 1 operand",
        ),
    ];
    for (error, end) in texts {
        assert!(error.to_string().ends_with(end), "{error}");
    }
}

#[test]
fn every_other_text_is_as_documented() {
    let texts = [
        (Error::NoRows, "no rows of data given, at least 1 expected"),
        (
            Error::BadLabel { row: 4, value: 2.0 },
            "the label of row 4 is 2, 0 or 1 expected",
        ),
        (
            Error::NotFinite {
                what: "feature",
                row: 1,
                column: 2,
                value: f64::NAN,
            },
            "the feature in row 1, column 2 is NaN, a finite number expected",
        ),
        (
            Error::NotFiniteNode {
                what: NonFinite::Adjoint,
                number: f64::INFINITY,
                index: 3,
                node: "node 3 (z = 1)".to_owned(),
                operands: Vec::new(),
                location: Some("a.rs:1:2".to_owned()),
            },
            "the adjoint of node 3 (z = 1) is inf; operands: none; recorded at a.rs:1:2",
        ),
        (
            Error::WrongGradient {
                input: 1,
                reverse: 1.0,
                forward: 1.0,
                difference: 2.0,
                step: 0.5,
                rounding: 0.25,
                tolerance: 0.125,
            },
            "the gradient is wrong at input 1: 1e0 by the reverse sweep, 1e0 by forward mode (at \
             most 2.5e-1 apart expected), 2e0 by finite differences with step 5e-1 (at most \
             1.25e-1 apart expected)",
        ),
    ];
    for (error, expected) in texts {
        assert_eq!(error.to_string(), expected);
        let _: &dyn std::error::Error = &error;
    }
}
