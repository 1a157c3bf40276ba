//! What a person looks at: tables, dumps, drawings, and a tape as data.

#[path = "../common/mod.rs"]
mod common;

mod accepted;
mod areas;
mod article;
mod drawing;
mod dumps;
#[cfg(feature = "serde")]
mod json;
mod large;
