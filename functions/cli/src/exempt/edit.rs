//! Adds an exemption to the text of `onus.yaml` and leaves everything else, comments too, as it is.

use anyhow::{Context, ensure};
use onus_host::Config;
use onus_pipeline::config::Exemption;
use onus_pipeline::place::{Step, place};

/// An exemption as the lines of a block sequence, its dash after so many spaces.
pub(super) fn block(exemption: &Exemption, indent: usize) -> anyhow::Result<String> {
    let line = |(index, (key, value)): (usize, (String, String))| {
        let start = if index == 0 { "- " } else { "  " };
        format!("{:indent$}{start}{key}: {value}\n", "")
    };
    Ok(members(exemption)?.into_iter().enumerate().map(line).collect())
}

fn flow(exemption: &Exemption) -> anyhow::Result<String> {
    let members = members(exemption)?.into_iter().map(|(key, value)| format!("{key}: {value}"));
    Ok(format!("{{ {} }}", members.collect::<Vec<_>>().join(", ")))
}

/// Keys, and values as JSON, which YAML reads as it stands.
fn members(exemption: &Exemption) -> anyhow::Result<Vec<(String, String)>> {
    const ORDER: [&str; 9] = ["id", "rule", "account", "resource", "tags", "actor", "reason", "owner", "expires"];
    let value = serde_json::to_value(exemption)?;
    let members = ORDER.iter().filter_map(|key| Some(((*key).to_owned(), value.get(*key)?.to_string())));
    Ok(members.collect())
}

/// The text with the exemption added to `exemptions`, at its end where that is a block.
///
/// # Errors
/// The text is no valid `onus.yaml`, or is not one with the exemption: it lacks a reason, or another one selects the same; or its
/// form leaves no place to add to.
pub(super) fn added(name: &str, text: &str, exemption: &Exemption) -> anyhow::Result<String> {
    let before = Config::parse(name, text)?;
    let edited = match before.exemptions.len() {
        0 => begun(text, exemption)?,
        count => continued(text, exemption, count)?,
    };
    let after = Config::parse(name, &edited)?;
    let mut expected = before;
    let at = after.exemptions.iter().position(|entry| entry == exemption);
    let at = at.context("the exemption does not read back as it was meant: add it by hand")?;
    expected.exemptions.insert(at, exemption.clone());
    ensure!(expected == after, "adding the exemption would change more than that: add it by hand");
    Ok(edited)
}

/// Adds to a file that has none yet.
fn begun(text: &str, exemption: &Exemption) -> anyhow::Result<String> {
    let Some((line, _)) = place(text, &[Step::Key("exemptions")]) else {
        let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        return Ok(format!("{text}{gap}exemptions:\n{}", block(exemption, 2)?));
    };
    // `exemptions: []`, or nothing after the colon.
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let found = lines.iter().take(line).rposition(|line| line.starts_with("exemptions:"));
    let at = found.context("`exemptions` is not a key of its own line: add the exemption by hand")?;
    if let Some(line) = lines.get_mut(at) {
        let comment = line.find(" #").map(|hash| line.split_off(hash)).unwrap_or_default();
        *line = format!("exemptions:{comment}\n{}", block(exemption, 2)?.trim_end());
    }
    Ok(lines.join("\n") + "\n")
}

/// Adds to those that are there.
fn continued(text: &str, exemption: &Exemption, count: usize) -> anyhow::Result<String> {
    let of =
        |index| place(text, &[Step::Key("exemptions"), Step::Index(index)]).context("the exemptions have no place");
    let ((first, column), (last, _)) = (of(0)?, of(count - 1)?);
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let line = *lines.get(first - 1).context("the exemptions have no line")?;
    if !line.trim_start().starts_with("- ") {
        // A flow sequence: before its first element.
        let mut edited = lines.clone();
        let offset = line.char_indices().nth(column - 1).map_or(line.len(), |(at, _)| at);
        let (head, tail) = line.split_at(offset);
        let joined = format!("{head}{}, {tail}", flow(exemption)?);
        if let Some(line) = edited.get_mut(first - 1) {
            *line = &joined;
        }
        return Ok(edited.concat());
    }
    let indent = line.len() - line.trim_start().len();
    let inside = |line: &str| {
        let text = line.trim();
        text.is_empty() || text.starts_with('#') || line.len() - line.trim_start().len() > indent
    };
    let mut end = last;
    while lines.get(end).is_some_and(|line| inside(line)) {
        end += 1;
    }
    // Blank lines and comments before the next part belong to it.
    while end > last && lines.get(end - 1).is_some_and(|line| line.trim().is_empty() || line.trim().starts_with('#')) {
        end -= 1;
    }
    let (head, tail) = lines.split_at(end.min(lines.len()));
    let gap = if head.last().is_some_and(|line| !line.ends_with('\n')) { "\n" } else { "" };
    Ok(format!("{}{gap}{}{}", head.concat(), block(exemption, indent)?, tail.concat()))
}

#[cfg(test)]
mod tests {
    use onus_pipeline::expiry::Expiry;
    use onus_pipeline::glob::Glob;

    use super::*;

    fn exemption() -> Exemption {
        Exemption {
            id: None,
            rule: Glob::new("aws.s3.*"),
            account: None,
            resource: Some(Glob::new("arn:aws:s3:::www")),
            tags: std::collections::BTreeMap::new(),
            actor: None,
            reason: "It's \"public\": # yes".to_owned(),
            owner: "web".to_owned(),
            expires: Expiry::try_from("2027-01-31".to_owned()).unwrap(),
        }
    }

    const ENTRY: &str = "- rule: \"aws.s3.*\"
    resource: \"arn:aws:s3:::www\"
    reason: \"It's \\\"public\\\": # yes\"
    owner: \"web\"
    expires: \"2027-01-31\"
";

    #[test]
    fn comments_and_order_stay_as_they_are() {
        let one = "{ rule: x, reason: r, owner: o, expires: never }";
        let cases = [
            (String::new(), format!("exemptions:\n  {ENTRY}")),
            (
                "# top\nmodes: { default: plan } # so far".to_owned(),
                format!("# top\nmodes: {{ default: plan }} # so far\nexemptions:\n  {ENTRY}"),
            ),
            (
                "exemptions: [] # none yet\nledger: memory://\n".to_owned(),
                format!("exemptions: # none yet\n  {ENTRY}ledger: memory://\n"),
            ),
            ("exemptions:\nledger: memory://\n".to_owned(), format!("exemptions:\n  {ENTRY}ledger: memory://\n")),
            (
                format!("exemptions:\n  # first\n  - {one}\n  # still\n\n# next\nledger: memory://\n"),
                format!("exemptions:\n  # first\n  - {one}\n  {ENTRY}  # still\n\n# next\nledger: memory://\n"),
            ),
            (
                "exemptions:\n- rule: x\n  reason: r\n\n  owner: o\n  expires: never".to_owned(),
                format!(
                    "exemptions:\n- rule: x\n  reason: r\n\n  owner: o\n  expires: never\n{}",
                    ENTRY.replace("\n  ", "\n")
                ),
            ),
        ];
        let mut wrong = Vec::new();
        for (text, expected) in cases {
            match added("onus.yaml", &text, &exemption()) {
                Ok(got) if got == expected => {}
                other => wrong.push(format!("{text}\n---\n{other:?}\n---\n{expected}")),
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    }

    #[test]
    fn a_flow_sequence_stays_one() {
        let text = "modes: { default: plan }\nexemptions: [{ rule: x, reason: r, owner: o, expires: never }] # all\n";
        let edited = added("onus.yaml", text, &exemption()).unwrap();
        assert!(edited.contains("exemptions: [{ rule: \"aws.s3.*\"") && edited.ends_with("] # all\n"), "{edited}");
    }

    #[test]
    fn what_would_not_be_valid_is_not_written() {
        let same =
            "exemptions: [{ rule: aws.s3.*, resource: 'arn:aws:s3:::www', reason: r, owner: o, expires: never }]";
        let error = added("onus.yaml", same, &exemption()).unwrap_err();
        assert!(error.to_string().contains("select the same"), "{error}");
        let nameless = Exemption { owner: " ".to_owned(), ..exemption() };
        assert!(added("onus.yaml", "", &nameless).is_err());
        assert!(added("onus.yaml", "{ ledger: 'memory://' }", &exemption()).is_err(), "no place in a flow mapping");
        assert!(added("onus.yaml", "modes: [", &exemption()).is_err());
    }
}
