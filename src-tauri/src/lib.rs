//! Desktop host.
