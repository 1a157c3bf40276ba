//! The structure of a recording, without its values: what each node does, and
//! to which operands.
//!
//! A sweep reads one structure with the values of any number type. What a
//! record holds is pinned by a test: 16 bytes.

use crate::ops::Op;
use std::fmt;

/// Marks a word of `Program::operands` as the position of a constant.
pub(crate) const CONSTANT: u32 = 1 << 31;

/// The position of a node on its tape, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(crate) u32);

impl NodeId {
    /// The position as an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// What an operation was applied to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Operand {
    /// Another node of the tape.
    Node(NodeId),
    /// A number that no tape knows.
    Constant(f64),
}

/// How a record holds its operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Form {
    /// none
    Leaf,
    /// node `a`
    Unary,
    /// nodes `a` and `payload`
    NodeNode,
    /// node `a`, then the constant whose bits are `payload`
    NodeConstant,
    /// the constant whose bits are `payload`, then node `a`
    ConstantNode,
    /// `payload` operands in `Program::operands` from `a + 2` on; the two words
    /// before them say where in `Program::constants` the operation's own
    /// constants start, and how many they are
    Nary,
}

/// One operation as it is stored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record {
    pub(crate) payload: u64,
    pub(crate) a: u32,
    pub(crate) op: Op,
    pub(crate) form: Form,
}

// With its value 24 bytes a node: less than tapes that store two partials (40–48),
// and all that a replay or a picture needs.
const _: () = assert!(size_of::<Record>() == 16);

impl Record {
    pub(crate) fn a(&self) -> usize {
        self.a as usize
    }

    pub(crate) fn b(&self) -> usize {
        self.payload as usize
    }

    pub(crate) fn constant(&self) -> f64 {
        f64::from_bits(self.payload)
    }
}

/// The structure of a tape, without its values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Program {
    pub(crate) records: Vec<Record>,
    pub(crate) operands: Vec<u32>,
    pub(crate) constants: Vec<f64>,
}

/// The operands of an n-ary record, and its own constants.
#[derive(Clone, Copy)]
pub(crate) struct Nary<'p> {
    operands: &'p [u32],
    pool: &'p [f64],
    pub(crate) constants: &'p [f64],
}

impl Nary<'_> {
    pub(crate) fn len(&self) -> usize {
        self.operands.len()
    }

    #[inline]
    pub(crate) fn operand(&self, i: usize) -> Operand {
        let word = self.operands[i];
        if word & CONSTANT == 0 {
            Operand::Node(NodeId(word))
        } else {
            Operand::Constant(self.pool[(word & !CONSTANT) as usize])
        }
    }
}

impl Program {
    #[inline]
    pub(crate) fn nary(&self, record: &Record) -> Nary<'_> {
        let start = record.a() + 2;
        let (from, count) = (
            self.operands[start - 2] as usize,
            self.operands[start - 1] as usize,
        );
        Nary {
            operands: &self.operands[start..start + record.payload as usize],
            pool: &self.constants,
            constants: &self.constants[from..from + count],
        }
    }

    /// Calls `each` with operand after operand.
    pub(crate) fn for_each_operand(&self, record: &Record, mut each: impl FnMut(Operand)) {
        let node = |index: usize| Operand::Node(NodeId(index as u32));
        let constant = Operand::Constant(record.constant());
        match record.form {
            Form::Leaf => {}
            Form::Unary => each(node(record.a())),
            Form::NodeNode => {
                each(node(record.a()));
                each(node(record.b()));
            }
            Form::NodeConstant => {
                each(node(record.a()));
                each(constant);
            }
            Form::ConstantNode => {
                each(constant);
                each(node(record.a()));
            }
            Form::Nary => {
                let nary = self.nary(record);
                (0..nary.len()).for_each(|i| each(nary.operand(i)));
            }
        }
    }

    /// The first `len` records and what they need.
    pub(crate) fn head(&self, len: usize) -> Program {
        Program {
            records: self.records[..len].to_vec(),
            operands: self.operands.clone(),
            constants: self.constants.clone(),
        }
    }
}
