//! CEL expressions over the members of a change.
//!
//! The parser, the interpreter and the standard functions are the `cel` crate's. What is ours happens between parsing and
//! evaluating ([`lower`]): every selection from a variable (`request.bucketPolicy.Statement`) becomes one name that the
//! [`scope`] resolves by walking the record, so nothing is converted and nothing is looked up twice; and the operators that
//! a missing member would break get a meaning for it. The values ([`value`], [`item`]) borrow from the record.

mod functions;
mod item;
mod lower;
mod names;
mod scope;
mod value;

use std::sync::{Arc, LazyLock};

use cel::common::types::CelBool;
use cel::parser::Expression;
use cel::{Context, Env, Value};
use onus_core::Doubt;

use self::names::Path;
pub(crate) use self::scope::Scope;

/// The environment that every expression is parsed and evaluated in.
static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(functions::environment()));

/// A compiled expression.
#[derive(Debug)]
pub(crate) struct Program {
    expression: Expression,
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
        let mut context = Context::with_env(Arc::clone(&ENV));
        context.set_variable_resolver(scope);
        let result = Value::resolve_val(&self.expression, &context);
        match result {
            Ok(value) => match value.downcast_ref::<CelBool>() {
                Some(truth) => Ok(*truth.inner()),
                None => Err(self.readable(&format!("gives a {}, not true or false", value.get_type().name()))),
            },
            Err(error) => Err(scope.fault().unwrap_or_else(|| self.readable(&error.to_string()))),
        }
    }

    /// Puts the names back that lowering took out.
    fn readable(&self, message: &str) -> String {
        let mut message =
            message.replace("@lt", "_<_").replace("@le", "_<=_").replace("@gt", "_>_").replace("@ge", "_>=_");
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
