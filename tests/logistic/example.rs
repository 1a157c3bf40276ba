//! The parts of the logistic-regression example, which call one another by `crate::`: the
//! root of the tests uses all of them. And data for the tests.
#![allow(dead_code, reason = "the tests take what they need")]

#[path = "../../examples/logistic_regression/by_hand.rs"]
pub mod by_hand;
#[path = "../../examples/logistic_regression/data.rs"]
pub mod data;
#[path = "../../examples/logistic_regression/failure.rs"]
pub mod failure;
#[path = "../../examples/logistic_regression/fit.rs"]
pub mod fit;
#[path = "../../examples/logistic_regression/units.rs"]
pub mod units;

use crate::data::Data;
use chainrule::models::logistic;

/// The numbers row by row, as the model of the library has them.
pub fn row_by_row(data: &Data) -> logistic::Data {
    let row = |i: usize| data.features.iter().map(move |column| column[i]);
    let x = (0..data.len()).flat_map(row).collect();
    logistic::Data::new(data.features.len(), x, data.labels.clone()).unwrap()
}

pub fn hours() -> Data {
    data::embedded("hours").unwrap().data
}

pub fn one_feature(x: &[f64], y: &[f64]) -> Data {
    Data {
        features: vec![x.to_vec()],
        labels: y.to_vec(),
    }
}

/// The column times 2^`power`, exactly.
pub fn times(column: &[f64], power: i32) -> Vec<f64> {
    column.iter().map(|&x| libm::scalbn(x, power)).collect()
}
