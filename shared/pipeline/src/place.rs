//! Where something stands in a YAML text, so that people can be shown the line.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// One step from the top of a document down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// A member of a mapping.
    Key(&'a str),
    /// An element of a sequence, from 0.
    Index(usize),
}

/// Line and column, from 1, of what a path leads to; `None` when it leads nowhere, or below a value with a YAML tag (`!x`).
///
/// The YAML library tells places only with errors, so the way there is walked and given up at its end.
pub fn place(text: &str, path: &[Step<'_>]) -> Option<(usize, usize)> {
    let mut arrived = false;
    let walk = Walk { path, arrived: &mut arrived };
    let error = walk.deserialize(yaml_serde::Deserializer::from_str(text)).err()?;
    let at = error.location()?;
    arrived.then(|| (at.line(), at.column()))
}

struct Walk<'a, 'p> {
    path: &'a [Step<'p>],
    arrived: &'a mut bool,
}

impl Walk<'_, '_> {
    /// Gives up if this is the end of the way; passes over what leads nowhere else.
    fn end<E: Error>(self) -> Result<(), E> {
        if self.path.is_empty() {
            *self.arrived = true;
            return Err(E::custom("here"));
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((Step::Key(wanted), rest)) = self.path.split_first() else { return self.end() };
        while let Some(key) = map.next_key::<String>()? {
            if key == *wanted {
                map.next_value_seed(Walk { path: rest, arrived: &mut *self.arrived })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Some((Step::Index(wanted), rest)) = self.path.split_first() else { return self.end() };
        for _ in 0..*wanted {
            if seq.next_element::<IgnoredAny>()?.is_none() {
                return Ok(());
            }
        }
        seq.next_element_seed(Walk { path: rest, arrived: &mut *self.arrived })?;
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        self.end()
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        self.end()
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        self.end()
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        self.end()
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        self.end()
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# a comment
rules: { off: [aws.ec2.*, aws.iam.*] }
modes:
  default: alert
  overrides:
    # the web team
    - rule: aws.s3.*
      mode: plan

    - { rule: x,
        mode: enforce }
exemptions: [{ rule: y }]
";

    #[test]
    fn lines_are_found_in_every_style() {
        use Step::{Index, Key};
        let cases: [(&[Step<'_>], Option<usize>); 9] = [
            (&[Key("modes"), Key("default")], Some(4)),
            (&[Key("modes"), Key("overrides"), Index(0)], Some(7)),
            (&[Key("modes"), Key("overrides"), Index(1)], Some(10)),
            (&[Key("modes"), Key("overrides"), Index(1), Key("mode")], Some(11)),
            (&[Key("rules"), Key("off"), Index(1)], Some(2)),
            (&[Key("exemptions"), Index(0)], Some(12)),
            (&[Key("exemptions"), Index(1)], None),
            (&[Key("modes"), Key("default"), Key("x")], None),
            (&[Key("nothing")], None),
        ];
        let mut wrong = Vec::new();
        for (path, expected) in cases {
            let got = place(TEXT, path).map(|(line, _)| line);
            if got != expected {
                wrong.push(format!("{path:?}: {got:?}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert_eq!(place("a: [", &[Key("a")]), Some((1, 4)), "what comes later is not looked at");
        assert_eq!(place("", &[Key("a")]), None);
    }
}
