//! What goes over all iterations of a loop that was found in a recording, and memory for it.

pub(crate) mod loop_body;
pub(crate) mod piece;
pub(crate) mod rolled;
pub(crate) mod shares;
pub(crate) mod taken;
pub(crate) mod workspace;
