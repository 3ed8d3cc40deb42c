//! A change with its request unwrapped, and CloudTrail's ways to spell lists and scalars.

use std::borrow::Cow;

use onus_core::{Audience, Change, Json};

/// What a family looks at.
pub(super) struct Seen<'c, 'a> {
    pub(super) change: &'c Change<'a>,
    /// The request parameters. Newer EC2 calls are logged as `{"<Action>Request": {…}}`: then what is in there.
    pub(super) request: &'c Json<'a>,
    /// The response elements, unwrapped in the same way; `Null` in most failed calls.
    pub(super) response: &'c Json<'a>,
}

impl<'c, 'a> Seen<'c, 'a> {
    pub(super) fn of(change: &'c Change<'a>) -> Self {
        let action = &change.action;
        Self {
            change,
            request: unwrapped(change.request.json(), &format!("{action}Request")),
            response: unwrapped(change.response.json(), &format!("{action}Response")),
        }
    }

    /// The first of several members of the request that is there. The case of names does not matter.
    pub(super) fn any(&self, names: &[&str]) -> &'c Json<'a> {
        any(self.request, names)
    }

    /// The first of several members that is there, as text.
    pub(super) fn text(&self, names: &[&str]) -> Option<Cow<'c, str>> {
        scalar(self.any(names))
    }

    /// How grants name the resource: the ARN that the decoder told, else what the request calls it by. What belongs to
    /// the whole account (a Glue catalog, a container registry) goes by the account's id.
    pub(super) fn resource(&self, names: &[&str]) -> String {
        match self.change.resource() {
            Some(resource) if !resource.id.is_empty() => resource.id.to_string(),
            Some(resource) if !resource.name.is_empty() => resource.name.to_string(),
            _ => self.text(names).map_or_else(|| self.change.account.to_string(), Cow::into_owned),
        }
    }

    /// Whom an account id names: the owner's own account, or another.
    pub(super) fn audience_of(&self, account: &str) -> Audience {
        if account == self.change.account && !account.is_empty() { Audience::Internal } else { Audience::External }
    }
}

fn unwrapped<'c, 'a>(body: &'c Json<'a>, wrapper: &str) -> &'c Json<'a> {
    match body.get_ci(wrapper) {
        inner @ Json::Object(_) => inner,
        _ => body,
    }
}

/// The first of several members that is there.
pub(super) fn any<'c, 'a>(json: &'c Json<'a>, names: &[&str]) -> &'c Json<'a> {
    names.iter().map(|name| at(json, name)).find(|value| !value.is_null()).unwrap_or(&onus_core::document::NULL)
}

/// Follows a dotted path; the case of names does not matter.
fn at<'c, 'a>(json: &'c Json<'a>, path: &str) -> &'c Json<'a> {
    path.split('.').fold(json, |value, name| value.get_ci(name))
}

/// A scalar as text. Newer EC2 records turn ids into numbers, and XML elements with attributes into
/// `{"content": …, "tag": 1}`. An account id that lost its leading zeros is not mended here: see [`account`].
pub(super) fn scalar<'c>(json: &'c Json<'_>) -> Option<Cow<'c, str>> {
    match json {
        Json::String(text) => Some(Cow::Borrowed(text.as_ref())),
        Json::Number(number) => Some(Cow::Owned(number.to_string())),
        Json::Bool(value) => Some(Cow::Borrowed(if *value { "true" } else { "false" })),
        Json::Object(_) => match json.get("content") {
            Json::Null | Json::Object(_) | Json::Array(_) => None,
            content => scalar(content),
        },
        Json::Null | Json::Array(_) => None,
    }
}

/// An account id as text, with the leading zeros that a number has lost.
pub(super) fn account<'c>(json: &'c Json<'_>) -> Option<Cow<'c, str>> {
    let text = scalar(json)?;
    let is_number = !text.is_empty() && text.len() < 12 && text.bytes().all(|b| b.is_ascii_digit());
    Some(if is_number { Cow::Owned(format!("{text:0>12}")) } else { text })
}

/// The entries of a list, however it is spelt: `[…]`, `{"items": […]}`, a single entry without a list, and for the
/// empty list `{}`, `""` or nothing.
pub(super) fn items<'c, 'a>(json: &'c Json<'a>) -> &'c [Json<'a>] {
    match json {
        Json::Array(entries) => entries,
        Json::String(text) if text.is_empty() => &[],
        Json::Object(members) if members.is_empty() => &[],
        Json::Object(_) => match any(json, &["items", "item", "member"]) {
            Json::Null => std::slice::from_ref(json),
            inner => items(inner),
        },
        other => other.each(),
    }
}

/// The scalars of a list, as text.
pub(super) fn texts<'c>(json: &'c Json<'_>) -> Vec<Cow<'c, str>> {
    items(json).iter().filter_map(scalar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_in_every_spelling() {
        let cases = [
            (r#"["a","b"]"#, vec!["a", "b"]),
            (r#"{"items":["a","b"]}"#, vec!["a", "b"]),
            (r#"{"items":{"item":"a"}}"#, vec!["a"]),
            (r#"{"content":"a","tag":1}"#, vec!["a"]),
            (r#"[{"content":"a","tag":1},{"content":7,"tag":2}]"#, vec!["a", "7"]),
            (r#""a""#, vec!["a"]),
            ("7", vec!["7"]),
            ("{}", vec![]),
            (r#""""#, vec![]),
            ("null", vec![]),
            ("[]", vec![]),
        ];
        for (text, expected) in cases {
            let json = Json::parse(text).unwrap();
            assert_eq!(texts(&json), expected, "{text}");
        }
    }

    #[test]
    fn an_account_gets_its_leading_zeros_back() {
        for (text, expected) in
            [("12345678901", "012345678901"), (r#""111122223333""#, "111122223333"), (r#""all""#, "all")]
        {
            assert_eq!(account(&Json::parse(text).unwrap()).as_deref(), Some(expected));
        }
    }
}
