//! Follows the pages of an answer and joins them.

use onus_core::{Call, CallError, CallErrorKind};
use serde_json::{Map, Value};

/// More pages than any list of ours has: each holds some hundred items.
const MOST: usize = 100;

/// The pages of one call so far.
pub(super) struct Pages<'a> {
    list: &'a str,
    call: Call,
    joined: Option<Value>,
    read: usize,
}

impl<'a> Pages<'a> {
    /// Pages whose items are in a member of this name.
    pub(super) fn new(list: &'a str, call: &Call) -> Self {
        Self { list, call: call.clone(), joined: None, read: 0 }
    }

    /// The call that asks for the next page.
    pub(super) fn call(&self) -> &Call {
        &self.call
    }

    /// Takes a page. Answers with all of them joined, without token, when it was the last.
    ///
    /// # Errors
    /// The service announces the same page again, or more than a hundred: half a list must not pass for the whole.
    pub(super) fn add(&mut self, mut page: Value) -> Result<Option<Value>, CallError> {
        self.read += 1;
        let token = page.as_object_mut().and_then(|members| members.remove("nextPageToken")).unwrap_or_default();
        self.join(page);
        let Some(token) = token.as_str().filter(|token| !token.is_empty()) else { return Ok(self.joined.take()) };
        if self.read >= MOST {
            return Err(self.failed("TooManyPages", format!("more than {MOST} pages")));
        }
        if self.call.parameters.get("pageToken").and_then(Value::as_str) == Some(token) {
            return Err(self.failed("RepeatedPage", "the same page was announced twice".to_owned()));
        }
        if !self.call.parameters.is_object() {
            self.call.parameters = Value::Object(Map::new());
        }
        if let Value::Object(parameters) = &mut self.call.parameters {
            parameters.insert("pageToken".to_owned(), token.into());
        }
        Ok(None)
    }

    fn join(&mut self, mut page: Value) {
        let Some(joined) = &mut self.joined else {
            self.joined = Some(page);
            return;
        };
        let more = page.get_mut(self.list).map(Value::take);
        match (joined.get_mut(self.list), more) {
            (Some(Value::Array(items)), Some(Value::Array(more))) => items.extend(more),
            (None, Some(more)) => {
                if let Value::Object(members) = joined {
                    members.insert(self.list.to_owned(), more);
                }
            }
            _ => {}
        }
    }

    fn failed(&self, code: &str, message: String) -> CallError {
        CallError { call: self.call.name(), kind: CallErrorKind::Unavailable, code: code.to_owned(), message }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn half_a_list_does_not_pass_for_the_whole() {
        let call = Call::gcp("compute", "firewalls.list", json!({ "project": "shop" }));
        let mut pages = Pages::new("items", &call);
        let page = || json!({ "items": [1], "nextPageToken": "a" });
        assert_eq!(pages.add(page()), Ok(None));
        assert_eq!(pages.call().parameters, json!({ "project": "shop", "pageToken": "a" }));
        assert_eq!(pages.add(page()).map_err(|error| error.code), Err("RepeatedPage".to_owned()));

        let mut pages = Pages::new("items", &call);
        let last = (0..MOST).map(|i| pages.add(json!({ "nextPageToken": i.to_string() }))).last();
        assert_eq!(last.map(|page| page.map_err(|error| error.code)), Some(Err("TooManyPages".to_owned())));
    }

    #[test]
    fn an_empty_page_among_others_is_nothing_special() {
        let call = Call::gcp("compute", "firewalls.list", json!({ "project": "shop" }));
        let mut pages = Pages::new("items", &call);
        assert_eq!(pages.add(json!({ "kind": "k", "nextPageToken": "a" })), Ok(None));
        assert_eq!(pages.add(json!({ "items": [1], "nextPageToken": "b" })), Ok(None));
        assert_eq!(pages.add(json!({ "items": [2] })), Ok(Some(json!({ "kind": "k", "items": [1, 2] }))));
    }
}
