//! What an AWS change opened and granted.
