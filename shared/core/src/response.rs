//! How far a response may go. Two ordered scales; the lower one wins.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How far the operator lets a rule go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// The rule is not evaluated.
    Off,
    /// The finding is told.
    #[default]
    Alert,
    /// The finding is told with the exact calls that a response would send.
    Plan,
    /// The plan waits for a person.
    Approve,
    /// The plan is carried out.
    Enforce,
}

/// How far a remediation lets itself go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Safety {
    /// Only a person may carry it out: the plan is shown.
    ManualOnly,
    /// A person must agree first.
    NeedsApproval,
    /// Taking it back cannot break what was there before.
    Automatic,
}

impl Mode {
    /// The mode that really applies: the operator's, capped by what the remediation allows. Without a remediation
    /// there is nothing to plan, so an alert is the most there is.
    #[must_use]
    pub fn capped(self, safety: Option<Safety>) -> Self {
        let most = match safety {
            None => Mode::Alert,
            Some(Safety::ManualOnly) => Mode::Plan,
            Some(Safety::NeedsApproval) => Mode::Approve,
            Some(Safety::Automatic) => Mode::Enforce,
        };
        self.min(most)
    }

    /// The lower-case name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Mode::Off => "off",
            Mode::Alert => "alert",
            Mode::Plan => "plan",
            Mode::Approve => "approve",
            Mode::Enforce => "enforce",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is no mode.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a mode, expected `off`, `alert`, `plan`, `approve` or `enforce`")]
pub struct UnknownMode(String);

impl FromStr for Mode {
    type Err = UnknownMode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Mode::Off, Mode::Alert, Mode::Plan, Mode::Approve, Mode::Enforce]
            .into_iter()
            .find(|mode| mode.as_str() == text)
            .ok_or_else(|| UnknownMode(text.to_owned()))
    }
}

impl Safety {
    /// The snake-case name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Safety::ManualOnly => "manual_only",
            Safety::NeedsApproval => "needs_approval",
            Safety::Automatic => "automatic",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lower_scale_wins() {
        assert_eq!(Mode::Enforce.capped(Some(Safety::NeedsApproval)), Mode::Approve);
        assert_eq!(Mode::Enforce.capped(Some(Safety::Automatic)), Mode::Enforce);
        assert_eq!(Mode::Enforce.capped(Some(Safety::ManualOnly)), Mode::Plan);
        assert_eq!(Mode::Enforce.capped(None), Mode::Alert);
        assert_eq!(Mode::Off.capped(Some(Safety::Automatic)), Mode::Off);
    }
}
