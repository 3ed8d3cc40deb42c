//! Whether a body is what a method's schema describes. Google's APIs refuse unknown members, but some take them silently:
//! a misspelt member of a patch would then change nothing, so it is refused before it is sent.

use serde_json::Value;

use crate::operations::{Api, Schema};

/// Checks a value against a schema of an API.
///
/// # Errors
/// Where it differs, and how. `null` is never right: in a merge patch it would delete, which nothing of ours asks for.
pub(super) fn check(api: &Api, schema: &Schema, value: &Value, at: &str) -> Result<(), String> {
    if let Some(name) = &schema.reference {
        let named = api.schema(name).ok_or_else(|| format!("`{at}`: schema `{name}` is not in the table"))?;
        return check(api, named, value, at);
    }
    let expected = schema.kind.as_deref().unwrap_or("any");
    match (expected, value) {
        ("any", value) if !value.is_null() => Ok(()),
        ("object", Value::Object(members)) => {
            for (name, member) in members {
                let inner = schema.properties.get(name).or(schema.additional_properties.as_deref());
                let inner = inner.ok_or_else(|| format!("`{at}` has no member `{name}`"))?;
                check(api, inner, member, &format!("{at}.{name}"))?;
            }
            Ok(())
        }
        ("array", Value::Array(elements)) => {
            let any = Schema::default();
            let inner = schema.items.as_deref().unwrap_or(&any);
            elements.iter().enumerate().try_for_each(|(index, one)| check(api, inner, one, &format!("{at}[{index}]")))
        }
        ("string", Value::String(text)) => string(schema, text, at),
        // 64-bit numbers are strings in Google's JSON; a small one as a number is taken too.
        ("string", Value::Number(_)) if schema.format.as_deref().is_some_and(|format| format.ends_with("int64")) => {
            Ok(())
        }
        ("integer", Value::Number(number)) if number.is_i64() || number.is_u64() => Ok(()),
        ("number", Value::Number(_)) | ("boolean", Value::Bool(_)) => Ok(()),
        (expected, _) => Err(format!("`{at}` is no {expected}")),
    }
}

fn string(schema: &Schema, text: &str, at: &str) -> Result<(), String> {
    if schema.format.as_deref().is_some_and(|format| format.ends_with("int64")) && text.parse::<i128>().is_err() {
        return Err(format!("`{at}` is no 64-bit number"));
    }
    match &schema.values {
        Some(values) if !values.iter().any(|value| value == text) => {
            Err(format!("`{at}` is {text:?}, expected one of {}", values.join(", ")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_body_that_the_schema_does_not_describe_says_where() {
        let api = crate::operations::api("sqladmin").unwrap();
        let schema = api.schema("DatabaseInstance").unwrap();
        let settings = |member: &str, value: Value| json!({ "settings": { member: value } });
        let networks = |entry: Value| settings("ipConfiguration", json!({ "authorizedNetworks": [entry] }));
        let cases = [
            (settings("settingsVersion", json!("7")), ""),
            (settings("settingsVersion", json!(7)), ""),
            (settings("userLabels", json!({ "team": "shop" })), ""),
            (networks(json!({ "value": "192.0.2.0/24", "kind": "sql#aclEntry" })), ""),
            (settings("settingsVersion", json!("seven")), "`body.settings.settingsVersion` is no 64-bit number"),
            (settings("ipConfig", json!({})), "`body.settings` has no member `ipConfig`"),
            (
                networks(json!({ "cidr": "192.0.2.0/24" })),
                "`body.settings.ipConfiguration.authorizedNetworks[0]` has no member `cidr`",
            ),
            (settings("userLabels", json!({ "team": 1 })), "`body.settings.userLabels.team` is no string"),
            (settings("activationPolicy", json!(null)), "`body.settings.activationPolicy` is no string"),
            (json!([]), "`body` is no object"),
        ];
        let mut wrong = Vec::new();
        for (body, expected) in cases {
            let found = check(api, schema, &body, "body").err().unwrap_or_default();
            if found != expected {
                wrong.push(format!("{body}: {found:?}, not {expected:?}"));
            }
        }
        let policy = check(api, schema, &settings("activationPolicy", json!("SOMETIMES")), "body").unwrap_err();
        assert!(policy.starts_with("`body.settings.activationPolicy` is \"SOMETIMES\", expected one of"), "{policy}");
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
