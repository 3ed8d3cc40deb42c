//! CEL expressions over the members of a change.
//!
//! The parser, the interpreter and the standard functions are the `cel` crate's. What is ours happens between parsing and
//! evaluating ([`lower`]): every selection from a variable (`request.bucketPolicy.Statement`) becomes one name that the
//! [`scope`] resolves by walking the record, so nothing is converted and nothing is looked up twice; the operators that
//! a missing member would break get a meaning for it; and the frame of the expression is taken off ([`logic`]). The values
//! ([`value`], [`item`], [`nothing`]) borrow from the record.

/// The part of a [`Val`](cel::common::value::Val) that all our collections share: the CEL type, and that it can be searched,
/// indexed, iterated and counted.
macro_rules! collection {
    ($type:expr) => {
        fn get_type(&self) -> &cel::common::types::Type {
            &$type
        }

        fn cel_type() -> &'static cel::common::types::Type {
            &$type
        }

        fn as_container(&self) -> Option<&dyn cel::common::traits::Container> {
            Some(self)
        }

        fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn cel::common::traits::Indexer + 'v)>
        where
            Self: 'v,
        {
            Some(self)
        }

        fn as_iterable<'b, 'v>(&'b self) -> Option<&'b (dyn cel::common::traits::Iterable + 'v)>
        where
            Self: 'v,
        {
            Some(self)
        }

        fn as_sizer(&self) -> Option<&dyn cel::common::traits::Sizer> {
            Some(self)
        }
    };
}

mod functions;
mod item;
mod logic;
mod lower;
mod names;
mod nothing;
mod scope;
mod value;

use std::sync::{Arc, LazyLock};

use cel::Env;
use cel::parser::Expression;
use onus_core::Doubt;

use self::logic::{Node, Run};
use self::names::Path;
pub(crate) use self::scope::Scope;

/// The environment that every expression is parsed and evaluated in.
static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(functions::environment()));

/// A compiled expression.
#[derive(Debug)]
pub(crate) struct Program {
    root: Node,
    paths: Vec<Path>,
    patterns: Vec<functions::Pattern>,
    unknowns: Vec<String>,
}

/// What is wrong with an expression, and where in its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExpressionError {
    pub(crate) offset: usize,
    pub(crate) length: usize,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Program {
    /// Compiles an expression. `with_state` says whether the rule names state to read: without it nothing could ever settle
    /// what `unknown()` leaves open.
    pub(crate) fn compile(source: &str, with_state: bool) -> Result<Self, Vec<ExpressionError>> {
        let (parsed, info) =
            ENV.parser().parse_with_source_info(source).map_err(|errors| parse_errors(source, &errors))?;
        lower::lower(parsed, source, &info, with_state)
    }

    /// The truth of the expression for what a scope holds, or why there is none. Doubts gather in the scope.
    pub(crate) fn run(&self, scope: &Scope<'_, '_, '_>) -> Result<bool, String> {
        self.root.holds(&mut Run::new(self, scope))
    }

    /// Says of a part that it is neither true nor false.
    fn untrue(&self, part: &Expression, kind: &str) -> String {
        let name = lower::path_number(part).and_then(|number| self.paths.get(number));
        let name = name.map(|path| format!("`{}` ", path.text)).unwrap_or_default();
        self.readable(&format!("{name}gives a {kind}, not true or false"))
    }

    /// Puts the names back that lowering took out.
    fn readable(&self, message: &str) -> String {
        let mut message = message.strip_prefix("Error executing function '@get': ").unwrap_or(message).to_owned();
        for (index, path) in self.paths.iter().enumerate().rev() {
            message = message.replace(&format!("@p{index}"), &path.text);
        }
        message.replace("null_type", "null")
    }

    pub(crate) fn unknown(&self, index: usize) -> Option<Doubt> {
        self.unknowns.get(index).map(|reason| Doubt::new("record", reason.clone()))
    }
}

fn parse_errors(source: &str, errors: &cel::ParseErrors) -> Vec<ExpressionError> {
    errors
        .errors
        .iter()
        .map(|error| {
            let line = usize::try_from(error.pos.0).unwrap_or(0).saturating_sub(1);
            let column = usize::try_from(error.pos.1).unwrap_or(0).saturating_sub(1);
            let start: usize = source.split_inclusive('\n').take(line).map(str::len).sum();
            let text = source.get(start..).unwrap_or_default();
            let within = text.char_indices().nth(column).map_or(text.trim_end().len(), |(index, _)| index);
            let message = error.msg.strip_prefix("Syntax error: ").unwrap_or(&error.msg);
            ExpressionError { offset: start + within, length: 1, message: message.to_owned(), hint: None }
        })
        .collect()
}
