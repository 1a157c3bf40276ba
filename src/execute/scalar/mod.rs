//! One point, on registers.

pub(crate) mod on_registers;
