//! The names of nodes, found from either side, and how they are written.

use crate::error::Error;
use indexmap::IndexMap;
use std::collections::HashMap;
use std::sync::Arc;

#[derive(Clone, Default)]
pub(crate) struct Names {
    /// In the order of declaration.
    nodes: IndexMap<Arc<str>, u32>,
    names: HashMap<u32, Arc<str>>,
}

impl Names {
    #[inline]
    pub(crate) fn clear(&mut self) {
        if !self.nodes.is_empty() {
            self.clear_all();
        }
    }

    #[cold]
    fn clear_all(&mut self) {
        self.nodes.clear();
        self.names.clear();
    }

    /// Names a node, unless the name is taken or the node has one.
    pub(crate) fn give(&mut self, id: u32, name: &str) -> Result<(), Error> {
        if let Some(&holder) = self.nodes.get(name) {
            return Err(Error::DuplicateName {
                name: name.to_owned(),
                holder: holder as usize,
            });
        }
        if let Some(first) = self.names.get(&id) {
            let (name, second) = (first.to_string(), name.to_owned());
            return Err(Error::AlreadyNamed {
                node: id as usize,
                name,
                second,
            });
        }
        self.set(id, name.into());
        Ok(())
    }

    /// Names a node; both are known to be free.
    pub(crate) fn set(&mut self, id: u32, name: Arc<str>) {
        self.nodes.insert(name.clone(), id);
        self.names.insert(id, name);
    }

    pub(crate) fn find(&self, name: &str) -> Result<u32, Error> {
        let id = self.nodes.get(name).copied();
        id.ok_or_else(|| Error::UnknownName {
            name: name.to_owned(),
            known: self.nodes.len(),
        })
    }

    pub(crate) fn of(&self, id: u32) -> Option<&Arc<str>> {
        self.names.get(&id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Arc<str>, u32)> {
        self.nodes.iter().map(|(name, &id)| (name, id))
    }
}

/// A text on one line: characters that control something, or that XML 1.0 forbids, are
/// written as escapes.
pub(crate) fn visible(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                line.extend(c.escape_unicode());
            }
            '\u{fffe}' | '\u{ffff}' => line.extend(c.escape_unicode()),
            c if c.is_control() => line.extend(c.escape_default()),
            c => line.push(c),
        }
    }
    line
}

/// A text as XML and HTML take it, between tags and in attributes.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in visible(text).chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            c => out.push(c),
        }
    }
    out
}
