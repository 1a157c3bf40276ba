//! Is a function over rows of data the same as that function at each row? To the
//! bit in each row, in a fixed order where rows are added up, with any data layout.

use crate::common::{Random, apply, cases};
use allocation_counter::measure;
use chainrule::{Column, Error, Function, Op, Tape, Var, Workspace};

fn many(random: &mut Random, count: usize) -> Vec<f64> {
    (0..count).map(|_| random.between(-1.0, 1.0)).collect()
}

fn same(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}

const PARAMETERS: usize = 3;
const COLUMNS: usize = 2;

/// A function of three parameters and two columns, made of random operations.
fn random_function(random: &mut Random) -> Function {
    let tape = Tape::new();
    let mut inputs = tape.vars(&many(random, PARAMETERS));
    inputs.extend((0..COLUMNS).map(|_| tape.column(0.5)));
    let mut nodes = inputs.clone();
    for _ in 0..25 {
        let op = Op::ALL[random.below(Op::ALL.len())];
        let pick = |_| nodes[random.below(nodes.len())];
        let mut operands: Vec<Var<'_>> = (0..op.arity().unwrap_or(4)).map(pick).collect();
        if op == Op::Dot {
            operands[3] = Var::from(2.0);
        }
        nodes.push(apply(op, &operands));
    }
    let last = nodes[nodes.len() - 1] + nodes[nodes.len() - 2] * 0.5;
    tape.function(&inputs, last)
}

fn data(random: &mut Random, rows: usize) -> Vec<Vec<f64>> {
    let special = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        f64::NAN,
        f64::INFINITY,
        1e300,
        -3e7,
        1e-310,
    ];
    let mut column = |_| -> Vec<f64> {
        (0..rows)
            .map(|i| match special.get(i) {
                Some(&x) => x,
                None => random.between(-3.0, 3.0),
            })
            .collect()
    };
    (0..COLUMNS).map(&mut column).collect()
}

fn slices(columns: &[Vec<f64>]) -> Vec<&[f64]> {
    columns.iter().map(|column| &column[..]).collect()
}

#[test]
fn each_row_has_the_bits_of_the_function_at_its_point() {
    let mut random = Random(1);
    let mut workspace = Workspace::new();
    for graph in 0..cases(1_000) {
        let f = random_function(&mut random);
        let count = 1 + random.below(220);
        let columns = data(&mut random, count);
        let rows = f.rows(&slices(&columns)).unwrap();
        let parameters = many(&mut random, PARAMETERS);
        let values = rows.values(&parameters).unwrap();
        let gradients = rows.row_gradients(&parameters).unwrap();
        for (row, value) in values.iter().enumerate() {
            let mut point = parameters.clone();
            point.extend(columns.iter().map(|column| column[row]));
            let mut gradient = [0.0; PARAMETERS + COLUMNS];
            let expected = f
                .value_and_gradient_into(&point, &mut gradient, &mut workspace)
                .unwrap();
            assert!(
                same(*value, expected),
                "{graph}, row {row}: {value} {expected}\n{f}"
            );
            let found = &gradients[row * PARAMETERS..][..PARAMETERS];
            for (a, b) in found.iter().zip(&gradient) {
                assert!(
                    same(*a, *b),
                    "{graph}, row {row}: {found:?} {gradient:?}\n{f}"
                );
            }
        }
    }
}

/// z = w·x + b, the stable loss, and a penalty that counts once.
fn logistic(features: usize) -> Function {
    let tape = Tape::new();
    let w = tape.vars(&vec![0.1; features]);
    let b = tape.var(0.2);
    let x: Vec<Var<'_>> = (0..features).map(|_| tape.column(0.5)).collect();
    let y = tape.column(1.0);
    let z = w.iter().zip(&x).fold(b, |z, (w, x)| z + w * x);
    let penalty = 0.05 * w.iter().map(|w| w.square()).sum::<Var<'_>>();
    let inputs = [&w[..], &[b], &x, &[y]].concat();
    tape.freeze(&inputs)
        .output(z.softplus() - y * z)
        .once(penalty)
        .retain(z.sigmoid())
        .function()
}

fn logistic_data(random: &mut Random, rows: usize, features: usize) -> Vec<Vec<f64>> {
    let mut columns: Vec<Vec<f64>> = (0..features).map(|_| many(random, rows)).collect();
    columns.push(
        (0..rows)
            .map(|_| f64::from(random.between(-1.0, 1.0) > 0.0))
            .collect(),
    );
    columns
}

#[test]
fn sums_means_predictions_and_second_derivatives_are_those_of_one_large_tape() {
    let mut random = Random(2);
    for rows in [1, 7, 111, 112, 113, 1_119, 1_121, 3_000] {
        let (f, columns) = (logistic(4), logistic_data(&mut random, rows, 4));
        let over = f.rows(&slices(&columns)).unwrap().mean();
        let p = many(&mut random, 5);
        let tape = Tape::new();
        let v = tape.vars(&p);
        let mut losses = Vec::new();
        let mut predictions = Vec::new();
        for (row, label) in columns[4].iter().enumerate() {
            let z = (0..4).fold(v[4], |z, i| z + v[i] * columns[i][row]);
            predictions.push(z.sigmoid().value());
            losses.push(z.softplus() - z * *label);
        }
        let penalty = 0.05 * v[..4].iter().map(|w| w.square()).sum::<Var<'_>>();
        let whole = losses.into_iter().sum::<Var<'_>>() / rows as f64 + penalty;
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-13 * (1.0 + a.abs());
        let (value, gradient) = over.value_and_gradient(&p).unwrap();
        assert!(close(value, whole.value()), "{rows}: {value}");
        assert_eq!(over.value(&p), Ok(value));
        let expected = whole.backward().wrt_all(&v);
        assert!(
            gradient.iter().zip(&expected).all(|(a, b)| close(*a, *b)),
            "{rows}"
        );
        let (hessian, expected) = (over.hessian(&p).unwrap(), whole.hessian(&v));
        let pairs = hessian.iter().flatten().zip(expected.iter().flatten());
        assert!(
            pairs.clone().all(|(a, b)| close(*a, *b)),
            "{rows}: {hessian:?} {expected:?}"
        );
        assert_eq!(over.retained(0, &p).unwrap(), predictions);
    }
}

#[test]
fn data_row_by_row_gives_the_same_bits_as_columns() {
    let mut random = Random(3);
    let (f, columns) = (logistic(3), logistic_data(&mut random, 2_345, 3));
    let row = |r: usize| {
        columns
            .iter()
            .map(move |column| column[r])
            .chain([f64::NAN])
    };
    let by_row: Vec<f64> = (0..2_345).flat_map(row).collect();
    let p = many(&mut random, 4);
    let expected = f
        .rows(&slices(&columns))
        .unwrap()
        .value_and_gradient(&p)
        .unwrap();
    let found = f
        .rows_of(&by_row, 5)
        .unwrap()
        .value_and_gradient(&p)
        .unwrap();
    assert_eq!(found, expected);
    // Two columns row by row, the others by themselves.
    let [x1, x2] = [0, 1].map(|c| Column::strided(&by_row[c..], 5));
    let [x3, y] = [2, 3].map(|c| Column::from(&columns[c][..]));
    let mixed = f.rows_from(&[x1, x2, x3, y]).unwrap();
    assert_eq!(mixed.value_and_gradient(&p).unwrap(), expected);
    let values = f.rows(&slices(&columns)).unwrap().values(&p).unwrap();
    assert_eq!(mixed.values(&p).unwrap(), values);
}

#[test]
fn rows_are_added_in_an_order_that_their_number_alone_fixes() {
    // Written out: by the remainder of the row by 8 within a chunk of 1,120.
    let f = Function::record(|r| r.column("x", 0.0) * r.input("w", 0.0));
    let mut random = Random(4);
    for rows in [5, 112, 200, 1_120, 5_000] {
        let x: Vec<f64> = (0..rows).map(|_| random.between(-1e10, 1e10)).collect();
        let mut expected = -0.0;
        for chunk in x.chunks(1_120) {
            let mut lanes = [-0.0; 8];
            chunk
                .iter()
                .enumerate()
                .for_each(|(i, x)| lanes[i % 8] += x * 3.0);
            let [a, b, c, d, e, f, g, h] = lanes;
            expected += ((a + e) + (c + g)) + ((b + f) + (d + h));
        }
        let value = f.rows(&[&x]).unwrap().value(&[3.0]).unwrap();
        assert_eq!(value.to_bits(), f64::to_bits(expected), "{rows}");
    }
}

#[test]
fn a_comparison_is_checked_in_each_row() {
    let f = Function::record(|r| {
        let (w, x) = (r.input("w", 1.0), r.column("x", 2.0));
        if w < x { w * x } else { w + x }
    });
    let x: Vec<f64> = (0..200).map(|i| if i == 130 { 0.5 } else { 2.0 }).collect();
    let rows = f.rows(&[&x]).unwrap();
    let mut gradient = [7.0];
    let error = rows.value_and_gradient_into(&[1.0], &mut gradient, &mut Workspace::new());
    assert_eq!(gradient, [7.0]);
    let Err(Error::OtherBranch {
        row: Some(130),
        operands: (1.0, 0.5),
        ..
    }) = error
    else {
        panic!("{error:?}")
    };
    assert_eq!(f.rows(&[&x[..130]]).unwrap().value(&[1.0]), Ok(260.0));
}

#[test]
fn what_is_beyond_the_last_row_goes_nowhere() {
    // 1/x would be ∞ at the zeros that pad the block, were they evaluated.
    let f = Function::record(|r| r.input("w", 1.0) / r.column("x", 1.0));
    let x = [1.0, 2.0, 4.0];
    let rows = f.rows(&[&x]).unwrap();
    assert_eq!(rows.value_and_gradient(&[2.0]), Ok((3.5, vec![1.75])));
    assert_eq!(rows.row_gradients(&[2.0]), Ok(vec![1.0, 0.5, 0.25]));
}

#[test]
fn a_row_that_is_not_finite_stays_by_itself_and_is_found() {
    let f = Function::record(|r| r.input("w", 1.0) * r.column("x", 1.0).ln());
    let mut x = vec![1.0; 100];
    (x[70], x[90]) = (-1.0, 0.0);
    let rows = f.rows(&[&x]).unwrap();
    let values = rows.values(&[1.0]).unwrap();
    let bad: Vec<usize> = (0..100).filter(|&i| !values[i].is_finite()).collect();
    assert_eq!(bad, [70, 90]);
    let Err(Error::NotFiniteRow {
        what: "value",
        row: 70,
        number,
    }) = rows.check_finite(&[1.0])
    else {
        panic!()
    };
    assert!(number.is_nan());
    assert_eq!(f.rows(&[&x[..70]]).unwrap().check_finite(&[1.0]), Ok(()));
    let slope = Function::record(|r| (r.input("w", 0.0) + r.column("x", 1.0)).sqrt());
    let found = slope.rows(&[&[1.0, 0.0]]).unwrap().check_finite(&[0.0]);
    assert!(matches!(
        found,
        Err(Error::NotFiniteRow {
            what: "gradient",
            row: 1,
            ..
        })
    ));
}

#[test]
fn what_depends_on_parameters_alone_is_evaluated_once() {
    // w and exp(w) once a call; the square, the product and the sum in each row.
    let tape = Tape::new();
    let (w, x) = (tape.var(1.0).named("w"), tape.column(1.0).named("x"));
    let f = tape.function(&[w, x], x.square() * w.exp() + x);
    assert_eq!((f.stats().shared, f.stats().steps), (2, 3));
    let lines = f.to_string();
    let at = |text: &str| lines.find(text).unwrap_or_else(|| panic!("{lines}"));
    assert!(at("exp(w)") < at("x = "), "{lines}");
}

#[test]
fn several_outputs_have_a_jacobian_over_rows() {
    let tape = Tape::new();
    let (a, b, x) = (tape.var(2.0), tape.var(3.0), tape.column(1.0));
    let f = tape.function_with_outputs(&[a, b, x], &[a * x, (b * x).square(), a * b]);
    let rows = f.rows(&[&[1.0, 2.0]]).unwrap();
    let jacobian = rows.jacobian(&[2.0, 3.0]).unwrap();
    assert_eq!(jacobian, [[3.0, 0.0], [0.0, 6.0 + 24.0], [6.0, 4.0]]);
    assert!(rows.value(&[2.0, 3.0]).is_err());
}

#[test]
fn data_that_does_not_fit_is_an_error() {
    let f = Function::record(|r| r.input("w", 1.0) * r.column("x", 1.0) + r.column("y", 1.0));
    let text = |error: Error| error.to_string();
    assert_eq!(
        text(f.rows(&[&[1.0]]).unwrap_err()),
        "1 column given, 2 expected"
    );
    assert!(text(f.rows(&[&[1.0], &[1.0, 2.0]]).unwrap_err()).contains("rows in a column"));
    assert!(f.rows_of(&[1.0, 2.0, 3.0], 2).is_err());
    assert!(f.rows_of(&[1.0, 2.0, 3.0], 1).is_err());
    let two = [1.0, 2.0];
    let no_way_apart = [Column::from(&two[..]), Column::strided(&two, 0)];
    assert_eq!(
        text(f.rows_from(&no_way_apart).unwrap_err()),
        "0 numbers from row to row given, 1 expected"
    );
    let one_row_more = [Column::from(&two[..1]), Column::strided(&two, 1)];
    assert!(text(f.rows_from(&one_row_more).unwrap_err()).contains("rows in a column"));
    let last_row_ends_early = [Column::strided(&two[..1], 2), Column::strided(&two, 2)];
    assert_eq!(f.rows_from(&last_row_ends_early).unwrap().len(), 1);
    let rows = f.rows(&[&[1.0], &[2.0]]).unwrap();
    assert!(text(rows.value(&[]).unwrap_err()).contains("parameters"));
    assert!(rows.retained(0, &[1.0]).is_err());
    let mut short = [7.0; 0];
    let into = rows.value_and_gradient_into(&[1.0], &mut short, &mut Workspace::new());
    assert!(into.is_err());
    let none = Function::record(|r| r.input("w", 1.0));
    assert!(matches!(none.rows(&[]), Err(Error::NoColumns)));
    assert_eq!(f.rows(&[&[], &[]]).unwrap().value(&[1.0]), Ok(0.0));
}

#[test]
fn the_mean_of_no_rows_is_no_number_and_their_sum_is_what_counts_once() {
    let (f, none) = (logistic(2), [[0.0; 0]; 3]);
    let none = none.each_ref().map(|column| &column[..]);
    let (sum, mean) = (f.rows(&none).unwrap(), f.rows(&none).unwrap().mean());
    let p = [2.0, 0.0, 1.0];
    assert_eq!(sum.value_and_gradient(&p), Ok((0.2, vec![0.2, 0.0, 0.0])));
    assert_eq!(sum.hessian(&p).unwrap()[0], [0.1, 0.0, 0.0]);
    assert!(mean.value(&p).unwrap().is_nan());
    assert!(mean.gradient(&p).unwrap().iter().all(|x| x.is_nan()));
    let hessian = mean.hessian(&p).unwrap();
    assert!(hessian.iter().flatten().all(|x| x.is_nan()));
    for rows in [sum, mean] {
        assert_eq!(rows.values(&p), Ok(vec![]));
        assert_eq!(rows.row_gradients(&p), Ok(vec![]));
        assert_eq!(rows.check_finite(&p), Ok(()));
    }
}

#[test]
fn without_parameters_there_are_no_components() {
    let f = Function::record(|r| r.column("x", 1.0).ln());
    let rows = f.rows(&[&[1.0, 1.0, 1.0]]).unwrap();
    assert_eq!(rows.value_and_gradient(&[]), Ok((0.0, vec![])));
    assert_eq!(rows.jacobian(&[]), Ok(vec![vec![]]));
    assert_eq!(rows.hessian(&[]), Ok(Vec::<Vec<f64>>::new()));
    assert_eq!(rows.row_gradients(&[]), Ok(vec![])); // three rows of none
    assert_eq!(rows.check_finite(&[]), Ok(()));
    let text = rows.row_gradients(&[1.0]).unwrap_err().to_string();
    assert_eq!(text, "1 parameter given, 0 expected");
}

#[test]
fn with_a_workspace_nothing_allocates_after_the_first_time() {
    let mut random = Random(6);
    let (f, columns) = (logistic(5), logistic_data(&mut random, 2_000, 5));
    let rows = f.rows(&slices(&columns)).unwrap();
    let (mut gradient, mut workspace) = (vec![0.0; 6], Workspace::new());
    let mut run = |p: f64| rows.value_and_gradient_into(&[p; 6], &mut gradient, &mut workspace);
    run(0.1).unwrap();
    assert_eq!(measure(|| _ = run(0.2)).count_total, 0);
    let mut each = vec![0.0; 6 * 2_000];
    let mut run = |p: f64| rows.row_gradients_into(&[p; 6], &mut each, &mut workspace);
    run(0.1).unwrap();
    assert_eq!(measure(|| _ = run(0.2)).count_total, 0);
}

#[test]
fn memory_does_not_grow_with_the_number_of_rows() {
    let f = logistic(3);
    let peak = |rows: usize| {
        let columns = logistic_data(&mut Random(7), rows, 3);
        let rows = f.rows(&slices(&columns)).unwrap();
        measure(|| _ = rows.value_and_gradient(&[0.1; 4])).bytes_max
    };
    assert_eq!(peak(100_000), peak(1_000));
    let checking = |rows: usize| {
        let columns = logistic_data(&mut Random(7), rows, 3);
        let rows = f.rows(&slices(&columns)).unwrap();
        measure(|| rows.check_finite(&[0.1; 4]).unwrap()).bytes_max
    };
    assert_eq!(checking(20_000), checking(1_000));
}

#[test]
fn a_value_that_no_partial_is_made_of_makes_room() {
    // Of x + 1 + 1 + …, whose partials are constants, one value is alive at a time;
    // of sin(sin(…)) all are, for the way back, unless nothing goes back.
    let chain = |first: &str, step: fn(Var<'_>) -> Var<'_>| {
        let f = Function::record(|r| {
            let (w, x) = (r.input("w", 0.5), r.column("x", 0.5));
            let start = if first == "w" { w * x } else { x };
            (0..20).fold(start, |y, _| step(y)) + w
        });
        let stats = f.stats();
        assert!(stats.to_string().contains("in each row"), "{stats}");
        (stats.steps, stats.slots, stats.adjoints)
    };
    // The adjoints of sums are the same in all rows, and computed once.
    assert_eq!(chain("w", |y| y + 1.0), (22, 2, 0));
    assert_eq!(chain("w", |y| y.sin()), (22, 22, 1));
    assert_eq!(chain("x", |y| y.sin()), (21, 2, 0));
}

#[test]
fn a_total_of_computed_zeros_is_a_computed_zero() {
    // √w·x at w = 0 and x = −0 in each row: 0·∞, in sums as in each row by itself.
    let f = Function::record(|r| {
        let w = r.inputs(&[0.5; 4]);
        let x: Vec<Var<'_>> = (0..4).map(|i| r.column(&format!("x{i}"), 0.5)).collect();
        let roots: Vec<Var<'_>> = w.into_iter().map(Var::sqrt).collect();
        let terms = roots.iter().zip(&x).map(|(root, x)| root * x);
        terms.reduce(|sum, term| sum + term).unwrap()
    });
    let x = vec![-0.0; 100];
    let rows = f.rows(&[&x, &x, &x, &x]).unwrap();
    let all_nan = |gradient: Vec<f64>| gradient.iter().all(|x| x.is_nan());
    assert!(all_nan(rows.row_gradients(&[0.0; 4]).unwrap()));
    assert!(all_nan(rows.gradient(&[0.0; 4]).unwrap()));
    assert_eq!(rows.gradient(&[1.0; 4]), Ok(vec![0.0; 4]));
}

#[test]
fn where_columns_lie_changes_no_bit() {
    let random = &mut Random(17);
    let (f, parameters) = (logistic(3), many(random, 4));
    for rows in [1, 7, 8, 90, 111, 113, 200, 1_119, 1_121, 1_300, 2_247] {
        let columns = logistic_data(random, rows, 3);
        let expected = f
            .rows(&slices(&columns))
            .unwrap()
            .value_and_gradient(&parameters);
        let at = |offsets: [usize; 4]| {
            let shifted = columns.iter().zip(offsets).map(|(column, offset)| {
                let before = std::iter::repeat_n(f64::NAN, offset);
                before.chain(column.iter().copied()).collect::<Vec<_>>()
            });
            let shifted: Vec<Vec<f64>> = shifted.collect();
            let slices: Vec<&[f64]> = shifted.iter().zip(offsets).map(|(c, o)| &c[o..]).collect();
            f.rows(&slices).unwrap().value_and_gradient(&parameters)
        };
        for offset in 0..9 {
            assert_eq!(
                at([offset; 4]),
                expected,
                "{rows} rows, all columns by {offset}"
            );
        }
        assert_eq!(at([3, 3, 5, 3]), expected, "{rows} rows");
        assert_eq!(at([1, 2, 3, 4]), expected, "{rows} rows");
    }
}

#[test]
fn data_that_is_far_away_gives_the_same_bits() {
    // More than a core's own caches hold: blocks of columns are asked for beforehand, but
    // not rows that lie one after another.
    let random = &mut Random(18);
    let (f, parameters) = (logistic(30), many(random, 31));
    let columns = logistic_data(random, 5_003, 30);
    let by_row: Vec<f64> = (0..5_003)
        .flat_map(|row| columns.iter().map(move |column| column[row]))
        .collect();
    let by_row = f.rows_of(&by_row, 31).unwrap();
    let by_column = f.rows(&slices(&columns)).unwrap();
    let found = by_column.value_and_gradient(&parameters);
    assert_eq!(found, by_row.value_and_gradient(&parameters));
    assert_eq!(found.unwrap().0, by_column.value(&parameters).unwrap());
}
