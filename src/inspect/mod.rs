//! What a person looks at: a derivation as steps. Nothing here does I/O; each
//! view is a `Display` or a `String`.

mod explain;
mod explained;

pub use explain::{ExplainedEdge, ExplainedPath, Explanation, explain};
