//! The names an expression may use, and the members they have.

/// What an expression can look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Root {
    Change,
    Actor,
    Origin,
    Settings,
    Request,
    Response,
    Record,
    State,
    Resources,
    Grants,
    Openings,
    Exposures,
}

/// How a variable may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Has exactly these members.
    Members(&'static [&'static str]),
    /// JSON: any member, and none of them has to be there.
    Json,
    /// A list, whose elements have exactly these members.
    List(&'static [&'static str]),
}

pub(crate) const RESOURCE: &[&str] = &["kind", "id", "name"];
pub(crate) const GRANT: &[&str] = &["resource", "audience", "principal", "account", "actions", "level", "via", "part"];
pub(crate) const OPENING: &[&str] =
    &["resource", "direction", "protocol", "from", "to", "sources", "peers", "rule_id", "allow"];
pub(crate) const EXPOSURE: &[&str] = &["resource", "direction", "protocol", "from", "to"];

/// Every variable.
pub(crate) const VARIABLES: &[(&str, Root, Shape)] = &[
    (
        "change",
        Root::Change,
        Shape::Members(&[
            "uid",
            "time",
            "cloud",
            "account",
            "region",
            "service",
            "action",
            "outcome",
            "error_code",
            "read_only",
        ]),
    ),
    ("actor", Root::Actor, Shape::Members(&["kind", "id", "principal", "account", "issuer", "invoked_by", "mfa"])),
    ("origin", Root::Origin, Shape::Members(&["address", "user_agent"])),
    ("settings", Root::Settings, Shape::Members(&["trusted_accounts"])),
    ("request", Root::Request, Shape::Json),
    ("response", Root::Response, Shape::Json),
    ("record", Root::Record, Shape::Json),
    ("state", Root::State, Shape::Json),
    ("resources", Root::Resources, Shape::List(RESOURCE)),
    ("grants", Root::Grants, Shape::List(GRANT)),
    ("openings", Root::Openings, Shape::List(OPENING)),
    ("exposures", Root::Exposures, Shape::List(EXPOSURE)),
];

/// The variable of a name.
pub(crate) fn variable(name: &str) -> Option<(Root, Shape)> {
    VARIABLES.iter().find(|(variable, ..)| *variable == name).map(|(_, root, shape)| (*root, *shape))
}

/// A variable and the members selected from it, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) root: Root,
    pub(crate) members: Vec<String>,
    /// As it is written: `request.bucketPolicy.Statement`.
    pub(crate) text: String,
}

/// Our functions and how many arguments each takes.
pub(crate) const FUNCTIONS: &[(&str, usize)] = &[
    ("list", 1),
    ("truthy", 1),
    ("falsy", 1),
    ("int_of", 1),
    ("text", 1),
    ("lower", 1),
    ("glob", 2),
    ("regex", 2),
    ("json", 1),
    ("is_internet", 1),
    ("reaches", 2),
    ("account_of", 1),
    ("any_ci", 2),
    ("unknown", 1),
];

/// The standard library's functions that expressions may use.
pub(crate) const STANDARD: &[(&str, usize)] = &[
    ("size", 1),
    ("int", 1),
    ("uint", 1),
    ("double", 1),
    ("string", 1),
    ("bool", 1),
    ("bytes", 1),
    ("type", 1),
    ("dyn", 1),
];

/// The standard library's functions that are called on a value.
pub(crate) const MEMBER_FUNCTIONS: &[(&str, usize)] =
    &[("contains", 1), ("startsWith", 1), ("endsWith", 1), ("size", 0)];

/// The standard library's type names, for `type(x) == string`.
pub(crate) const TYPES: &[&str] =
    &["bool", "bytes", "double", "dyn", "int", "list", "map", "null_type", "string", "type", "uint"];

/// The word of a list that is nearest to one that is not in it, when it is near enough to be meant.
pub(crate) fn nearest<'a>(word: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let best = words.into_iter().map(|candidate| (distance(word, candidate), candidate)).min()?;
    (best.0 <= 1 + word.len() / 4).then_some(best.1)
}

/// How many letters have to be added, dropped or changed.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.chars().enumerate() {
        let mut next = vec![i + 1];
        for ((r, above), diagonal) in right.iter().zip(row.iter().skip(1)).zip(&row) {
            let before = next.last().copied().unwrap_or_default();
            next.push((before + 1).min(above + 1).min(diagonal + usize::from(l != *r)));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_offered_when_it_is_near() {
        let names = || VARIABLES.iter().map(|(name, ..)| *name);
        assert_eq!(nearest("grant", names()), Some("grants"));
        assert_eq!(nearest("requst", names()), Some("request"));
        assert_eq!(nearest("bananas", names()), None);
    }
}
