//! Who an AWS policy document lets in.
