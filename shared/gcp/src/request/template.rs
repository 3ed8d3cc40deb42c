//! Expands the path templates of discovery documents: RFC 6570, its simple (`{name}`) and reserved (`{+name}`) expansion,
//! which are the only two that they use.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use crate::operations::Method;

/// All but RFC 3986's unreserved characters: simple expansion, and what stands in a query.
pub(super) const DATA: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Reserved expansion keeps the reserved characters, but not those that would end the path or pass for an encoding: a name is
/// data, and none that Google hands out holds them.
const NAME: &AsciiSet = &DATA
    .remove(b'/')
    .remove(b':')
    .remove(b'@')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=');

/// The path of a method with its parameters in place.
///
/// # Errors
/// A parameter is no text, is not made of the segments that the method expects, or has a segment that is empty, `.` or `..`,
/// which would lead elsewhere.
pub(super) fn expand(method: &Method, given: &Map<String, Value>) -> Result<String, String> {
    let mut path = String::new();
    let mut rest = method.path.as_str();
    while let Some((literal, from)) = rest.split_once('{') {
        path.push_str(literal);
        let (expression, after) =
            from.split_once('}').ok_or_else(|| format!("template `{}` is broken", method.path))?;
        rest = after;
        let (name, reserved) = expression.strip_prefix('+').map_or((expression, false), |name| (name, true));
        let value = given.get(name).and_then(Value::as_str).unwrap_or_default();
        let segments = method.parameters.get(name).and_then(|parameter| parameter.segments.as_deref()).unwrap_or("*");
        let whole = if reserved { is_made_of(value, segments) } else { is_segment(value) };
        if !whole {
            return Err(format!("parameter `{name}` is {value:?}, expected `{segments}`"));
        }
        path.extend(utf8_percent_encode(value, if reserved { NAME } else { DATA }));
    }
    path.push_str(rest);
    Ok(path)
}

/// Whether a value has the segments of a pattern, in which `*` stands for any one.
fn is_made_of(value: &str, pattern: &str) -> bool {
    let (mut values, mut patterns) = (value.split('/'), pattern.split('/'));
    loop {
        match (values.next(), patterns.next()) {
            (None, None) => return true,
            (Some(value), Some("*")) if is_segment(value) => {}
            (Some(value), Some(literal)) if value == literal => {}
            _ => return false,
        }
    }
}

/// Whether a text stays one segment of a path.
fn is_segment(text: &str) -> bool {
    !matches!(text, "" | "." | "..")
}
