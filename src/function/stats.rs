//! `Stats`: what freezing did to a recording.

use super::frozen::{Function, Pass};
use crate::execute::driver::rolled::Rolled;
use crate::execute::lanes::block::Block;
use crate::execute::scalar::on_registers::OnRegisters;
use std::fmt;

/// What each pass did when a [`Function`] was made, and how large it is. Made by
/// [`Function::stats`]; prints as a table.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Stats {
    /// The passes in their order.
    pub passes: Vec<Pass>,
    /// How many nodes are evaluated once a call: inputs, and what depends on
    /// parameters alone. All of them, if there are no columns.
    pub shared: usize,
    /// How many steps there are in each row: nodes, but for those that are done together with
    /// the one that uses them, as the difference in ln(1 − x) is.
    pub steps: usize,
    /// How many values of steps are alive at most, and so how many blocks of memory
    /// they take. A step whose value no partial is made of makes room for others.
    pub slots: usize,
    /// How many adjoints of steps are alive at most, of those that are not the same in all rows.
    pub adjoints: usize,
    /// How many turns of a loop are evaluated many at a time for value and gradient at a
    /// point; 0 if none was found.
    pub turns: usize,
    /// How many steps there are in each turn, as in each row.
    pub turn_nodes: usize,
    /// How many of 256 or 65,536 registers the instructions take that are run for value and
    /// gradient at a point. 0 if there would be more, or if there are columns, a loop or
    /// several outputs: then there are no such instructions. More than 256 are used only
    /// with a [`Workspace`](crate::Workspace); without one the recording is swept.
    pub registers: usize,
    /// Bytes of the recording: 16 for each node, its operands and constants, and the comparisons
    /// that are checked; and of the loop or the instructions, if there are any.
    pub bytes: usize,
    /// Bytes of a workspace for values and adjoints, at a point, over rows or turns.
    pub workspace_bytes: usize,
}

impl Function {
    /// What freezing did, and how large the function is.
    ///
    /// ```
    /// use chainrule::Tape;
    /// let tape = Tape::new();
    /// let (x, y, z) = (tape.var(2.0), tape.var(3.0), tape.var(5.0));
    /// let unused = z.exp();
    /// let f = tape.function(&[x, y, z], (x * 2.0 + y * 3.0 + z * 4.0) * 1.0);
    /// let [dropped, ones, merged] = f.stats().passes[..] else { panic!() };
    /// assert_eq!((dropped.before, dropped.after), (10, 9));
    /// assert_eq!((ones.before, ones.after), (9, 8));
    /// assert_eq!((merged.before, merged.after), (8, 4)); // one linear combination
    /// # let _ = unused;
    /// ```
    pub fn stats(&self) -> Stats {
        let (plan, rolled) = (&self.plan, self.rolled.as_deref());
        let registers = self.registers.as_deref();
        let (numbers, blocks) = (size_of::<f64>(), size_of::<Block>());
        let over_rows =
            blocks * (plan.slots + plan.adjoints + plan.known.blocks.len() + plan.copied.len());
        Stats {
            passes: self.passes.clone(),
            shared: plan.shared,
            steps: plan.steps.len(),
            slots: plan.slots,
            adjoints: plan.adjoints,
            turns: rolled.map_or(0, |rolled| rolled.turns),
            turn_nodes: rolled.map_or(0, Rolled::steps),
            registers: registers.map_or(0, OnRegisters::count),
            bytes: self.recording.bytes()
                + rolled.map_or(0, Rolled::bytes)
                + registers.map_or(0, OnRegisters::bytes),
            workspace_bytes: 2 * numbers * self.nodes()
                + over_rows
                + rolled.map_or(0, Rolled::workspace_bytes)
                + registers.map_or(0, OnRegisters::workspace_bytes),
        }
    }
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Pass {
            name,
            before,
            after,
        } in &self.passes
        {
            writeln!(f, "{name:<28}{before:>10} → {after} nodes")?;
        }
        let Self {
            shared,
            steps,
            slots,
            adjoints,
            turns,
            registers,
            ..
        } = self;
        writeln!(f, "{:<28}{shared:>10} once a call", "evaluated")?;
        if *registers > 0 {
            writeln!(f, "{:<28}{registers:>10} registers", "")?;
        }
        if *turns > 0 {
            let nodes = self.turn_nodes;
            writeln!(
                f,
                "{:<28}{turns:>10} turns of {nodes} nodes",
                "of which a loop"
            )?;
        }
        if *steps > 0 {
            writeln!(f, "{:<28}{steps:>10} in each row", "")?;
            writeln!(f, "{:<28}{slots:>10} values", "alive at most")?;
            writeln!(f, "{:<28}{adjoints:>10} adjoints", "")?;
        }
        writeln!(f, "{:<28}{:>10} bytes", "recording", self.bytes)?;
        write!(f, "{:<28}{:>10} bytes", "workspace", self.workspace_bytes)
    }
}
