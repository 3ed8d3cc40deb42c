//! Follows the pages of an answer and joins them.

use onus_core::{Call, CallError, CallErrorKind};
use serde_json::{Map, Value};

use crate::operations::Paginator;

/// More pages than any read of ours has: the largest hold a thousand items each.
const MOST: usize = 100;

/// The pages of one call so far.
pub(super) struct Pages<'a> {
    paginator: &'a Paginator,
    call: &'a Call,
    parameters: Value,
    joined: Option<Value>,
    read: usize,
}

impl<'a> Pages<'a> {
    pub(super) fn new(paginator: &'a Paginator, call: &'a Call) -> Self {
        let given = call.parameters.clone();
        let parameters = if given.is_null() { Value::Object(Map::new()) } else { given };
        Self { paginator, call, parameters, joined: None, read: 0 }
    }

    /// The parameters that ask for the next page.
    pub(super) fn parameters(&self) -> &Value {
        &self.parameters
    }

    /// Takes a page. Answers with all of them joined, without tokens, when it was the last.
    ///
    /// # Errors
    /// The service hands out the same token again, or more than a hundred pages: half a list must not pass for the
    /// whole.
    pub(super) fn add(&mut self, mut page: Value) -> Result<Option<Value>, CallError> {
        self.read += 1;
        let tokens: Vec<Value> = self.paginator.output_token.iter().map(|name| take(&mut page, name)).collect();
        let more = self.paginator.more_results.as_deref().map(|name| take(&mut page, name));
        self.join(page);
        let none_left = tokens.iter().all(|token| token.is_null() || token.as_str() == Some(""));
        if none_left || more.is_some_and(|more| more != Value::Bool(true)) {
            return Ok(self.joined.take());
        }
        let names = self.paginator.input_token.iter();
        if self.read >= MOST {
            return Err(self.failed("TooManyPages", format!("more than {MOST} pages")));
        }
        if names.clone().zip(&tokens).all(|(name, token)| self.parameters.get(name) == Some(token)) {
            return Err(self.failed("RepeatedPage", "the same page was announced twice".to_owned()));
        }
        if let Value::Object(parameters) = &mut self.parameters {
            parameters.extend(names.cloned().zip(tokens).filter(|(_, token)| !token.is_null()));
        }
        Ok(None)
    }

    fn join(&mut self, mut page: Value) {
        let Some(joined) = &mut self.joined else {
            self.joined = Some(page);
            return;
        };
        for name in &self.paginator.result_key {
            let more = take(&mut page, name);
            match (joined.get_mut(name), more) {
                (Some(Value::Array(items)), Value::Array(more)) => items.extend(more),
                (Some(Value::Object(entries)), Value::Object(more)) => entries.extend(more),
                (None, more) if !more.is_null() => joined[name.as_str()] = more,
                _ => {}
            }
        }
    }

    fn failed(&self, code: &str, message: String) -> CallError {
        CallError { call: self.call.name(), kind: CallErrorKind::Unavailable, code: code.to_owned(), message }
    }
}

/// Takes a member out; `null` when it is not there.
fn take(value: &mut Value, name: &str) -> Value {
    value.as_object_mut().and_then(|members| members.remove(name)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn paginator() -> Paginator {
        let named = |name: &str| vec![name.to_owned()];
        Paginator {
            input_token: named("Marker"),
            output_token: named("NextMarker"),
            result_key: named("Grants"),
            more_results: Some("Truncated".to_owned()),
        }
    }

    #[test]
    fn pages_are_joined_and_the_tokens_dropped() {
        let (paginator, call) = (paginator(), Call::aws("kms", "ListGrants", "eu-west-1", json!({"KeyId": "k"})));
        let mut pages = Pages::new(&paginator, &call);
        let first = pages.add(json!({"Grants": [{"GrantId": "1"}], "NextMarker": "a", "Truncated": true}));
        assert_eq!(first, Ok(None));
        assert_eq!(pages.parameters(), &json!({"KeyId": "k", "Marker": "a"}));
        let second = pages.add(json!({"Grants": [{"GrantId": "2"}], "Truncated": false}));
        assert_eq!(second, Ok(Some(json!({"Grants": [{"GrantId": "1"}, {"GrantId": "2"}]}))));
    }

    #[test]
    fn half_a_list_does_not_pass_for_the_whole() {
        let (paginator, call) = (paginator(), Call::aws("kms", "ListGrants", "eu-west-1", json!({})));
        let mut pages = Pages::new(&paginator, &call);
        let page = || json!({"Grants": [], "NextMarker": "a", "Truncated": true});
        assert_eq!(pages.add(page()), Ok(None));
        assert_eq!(pages.add(page()).map_err(|error| error.code), Err("RepeatedPage".to_owned()));

        let mut pages = Pages::new(&paginator, &call);
        let last = (0..MOST).map(|i| pages.add(json!({"NextMarker": i.to_string(), "Truncated": true}))).last();
        assert_eq!(last.map(|page| page.map_err(|error| error.code)), Some(Err("TooManyPages".to_owned())));
    }
}
