//! Many rows at a time, in the lanes of vectors.

pub(crate) mod ahead;
pub(crate) mod back;
pub(crate) mod block;
pub(crate) mod blocks;
pub(crate) mod column;
pub(crate) mod columns;
pub(crate) mod kernels;
pub(crate) mod lane;
pub(crate) mod lane_program;
pub(crate) mod modifier;
pub(crate) mod vectors;
