//! Columns: how many values of one kind lie one after another.

pub(crate) mod floats;
pub(crate) mod ints;
pub(crate) mod values;
