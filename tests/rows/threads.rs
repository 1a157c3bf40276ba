//! Rows on several threads: does their number change a bit, or which error is found?

use crate::common::Random;
use chainrule::{Function, Var};

fn pool(threads: usize) -> rayon::ThreadPool {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    pool.build().unwrap()
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let mut random = Random(5);
    let f = Function::record(|r| {
        let w = r.inputs(&[0.5; 6]);
        let x = ["a", "b", "c", "d", "e", "f"].map(|name| r.column(name, 0.5));
        let z = w.iter().zip(x).map(|(w, x)| w * x).sum::<Var<'_>>();
        z.softplus() - z * r.column("y", 1.0)
    });
    // Of so many as the last, one thread does 64 chunks of 1,120 and then the others.
    for rows in [10, 1_025, 80_001] {
        let mut numbers =
            |count| -> Vec<f64> { (0..count).map(|_| random.between(-1.0, 1.0)).collect() };
        let columns: Vec<_> = (0..7).map(|_| numbers(rows)).collect();
        let columns: Vec<_> = columns.iter().map(|column| &column[..]).collect();
        let over = f.rows(&columns).unwrap().mean();
        let p = numbers(6);
        let expected = over.value_and_gradient(&p).unwrap();
        for threads in 1..=8 {
            let parallel = over.clone().parallel();
            let found = pool(threads).install(|| parallel.value_and_gradient(&p).unwrap());
            assert_eq!(found, expected, "{rows} rows, {threads} threads");
        }
    }
}

#[test]
fn any_number_of_threads_finds_the_same_broken_comparison() {
    let f = Function::record(|r| {
        let (w, x) = (r.input("w", 1.0), r.column("x", 1.0));
        if w < x { w * x } else { w + x }
    });
    let mut x = vec![0.5; 100_000];
    // The last one among the rows that each of two threads begins with, and later ones, which
    // are met earlier.
    (x[48_888], x[56_000], x[99_999]) = (2.0, 3.0, 4.0);
    let rows = f.rows(&[&x]).unwrap();
    let expected = rows.value(&[1.0]).unwrap_err();
    assert!(expected.to_string().contains("in row 48888"), "{expected}");
    for threads in 1..=8 {
        let pool = pool(threads);
        let found = pool.install(|| rows.clone().parallel().value(&[1.0]).unwrap_err());
        assert_eq!(found, expected, "{threads} threads");
    }
}

#[test]
fn of_several_comparisons_any_number_of_threads_names_that_of_the_first_row() {
    let f = Function::record(|r| {
        let (w, a, b) = (r.input("w", 1.0), r.column("a", 1.0), r.column("b", 1.0));
        assert!(a > 0.0 && b > 0.0);
        (w * a).exp() * b
    });
    let mut random = Random(9);
    for rows in [5_000, 60_000] {
        let (mut a, mut b) = (vec![1.0; rows], vec![1.0; rows]);
        for _ in 0..4 {
            // Often in one block.
            let row = random.below(rows - 100);
            a[row + random.below(100)] = -1.0;
            b[row + random.below(100)] = -1.0;
        }
        let first = (0..rows).find(|&row| a[row] < 0.0 || b[row] < 0.0).unwrap();
        let comparison = if a[first] < 0.0 { "a > 0" } else { "b > 0" };
        let over = f.rows(&[&a, &b]).unwrap();
        let expected = over.value(&[0.5]).unwrap_err();
        let text = expected.to_string();
        assert!(text.contains(&format!("in row {first}:")), "{text}");
        assert!(text.contains(comparison), "{text}");
        for threads in 1..=4 {
            let parallel = over.clone().parallel();
            let pool = pool(threads);
            let value = pool.install(|| parallel.value(&[0.5]).unwrap_err());
            let hessian = pool.install(|| parallel.hessian(&[0.5]).unwrap_err());
            assert_eq!([&value, &hessian], [&expected; 2], "{threads} threads");
        }
    }
}
