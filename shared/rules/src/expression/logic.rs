//! The frame of an expression: `&&`, `||`, `!` and plain tests of one member are evaluated here, the rest by the interpreter.
//!
//! Most rules end at a plain test (`request.publiclyAccessible == true`), and then the interpreter is never set up. The meaning is
//! CEL's: a side that fails does not matter when the other decides.

use std::sync::Arc;

use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, IdedExpr, LiteralValue, operators};
use cel::common::types::CelBool;
use cel::parser::Expression;
use cel::{Context, Value};

use super::scope::{Found, Scope};
use super::{ENV, Program, functions, lower};

/// A part of an expression that is true or false.
#[derive(Debug)]
pub(super) enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    /// One member, by the number of its path, tested against what is written out.
    Test(usize, Test),
    /// `exists` or `all` over a member, which has an answer of its own when there is nothing to go over.
    Each {
        path: usize,
        listed: bool,
        empty: bool,
        whole: Expression,
    },
    /// Anything else.
    Cel(Expression),
}

/// A plain test.
#[derive(Debug)]
pub(super) enum Test {
    /// Is one of these.
    Among(Vec<Literal>),
    /// Is `true`, or a text that says so.
    Truthy,
    /// Is `false`, or a text that says so.
    Falsy,
    /// `int_of` it compares so with a number.
    IntOf(functions::Order, i64),
    /// Matches a `glob`.
    Glob(String),
    /// Matches the `regex` of this number.
    Regex(usize),
    /// `any_ci` of it is one of these.
    AnyCi(Vec<String>),
}

/// A value that is written out.
#[derive(Debug, PartialEq)]
pub(super) enum Literal {
    Null,
    Truth(bool),
    Int(i64),
    Text(String),
}

impl Node {
    /// Takes a lowered expression apart as far as it is a frame.
    pub(super) fn of(expression: Expression) -> Self {
        let IdedExpr { id, expr } = expression;
        match expr {
            Expr::Call(call) if call.target.is_none() => Self::of_call(id, call),
            Expr::Comprehension(comprehension) => {
                let range = over(&comprehension);
                let whole = IdedExpr { id, expr: Expr::Comprehension(comprehension) };
                match range {
                    Some((path, listed, empty)) => Node::Each { path, listed, empty, whole },
                    None => Node::Cel(whole),
                }
            }
            expr => Node::Cel(IdedExpr { id, expr }),
        }
    }

    fn of_call(id: u64, mut call: CallExpr) -> Self {
        if let Some((path, test)) = Test::of(&call) {
            let test = Node::Test(path, test);
            return if call.func_name == operators::NOT_EQUALS { Node::Not(Box::new(test)) } else { test };
        }
        match (call.func_name.as_str(), call.args.len()) {
            (operators::LOGICAL_AND, 2) => Node::All(call.args.into_iter().map(Node::of).collect()),
            (operators::LOGICAL_OR, 2) => Node::Any(call.args.into_iter().map(Node::of).collect()),
            (lower::NOT, 3) if lower::is_negation(&call) => Node::Not(Box::new(Node::of(call.args.swap_remove(0)))),
            _ => Node::Cel(IdedExpr { id, expr: Expr::Call(call) }),
        }
    }

    /// Whether it holds, or why that cannot be told.
    pub(super) fn holds(&self, run: &mut Run<'_, '_, '_, '_>) -> Result<bool, String> {
        match self {
            Node::All(parts) => fold(parts, false, run),
            Node::Any(parts) => fold(parts, true, run),
            Node::Not(part) => part.holds(run).map(|holds| !holds),
            Node::Test(path, test) => match run.scope.found(*path) {
                Some(found) => Ok(test.holds(found, run.program)),
                None => Err(run.scope.fault().unwrap_or_default()),
            },
            Node::Each { path, listed, empty, whole } => match run.scope.found(*path) {
                Some(found) if found.is_empty(*listed) => Ok(*empty),
                _ => run.interpret(whole),
            },
            Node::Cel(expression) => run.interpret(expression),
        }
    }
}

/// The member that an `exists` or `all` goes over, whether through `list()`, and what it gives when that is empty.
fn over(comprehension: &ComprehensionExpr) -> Option<(usize, bool, bool)> {
    let Expr::Literal(LiteralValue::Boolean(start)) = &comprehension.accu_init.expr else { return None };
    if !matches!(&comprehension.result.expr, Expr::Ident(name) if *name == comprehension.accu_var) {
        return None;
    }
    let (path, listed) = match &comprehension.iter_range.expr {
        Expr::Call(call) if call.func_name == "list" => (lower::path_number(call.args.first()?)?, true),
        _ => (lower::path_number(&comprehension.iter_range)?, false),
    };
    Some((path, listed, *start.inner()))
}

/// `&&` (decided by `false`) or `||` (decided by `true`). A failure counts only when no part decides.
fn fold(parts: &[Node], decider: bool, run: &mut Run<'_, '_, '_, '_>) -> Result<bool, String> {
    let mut failure = None;
    for part in parts {
        match part.holds(run) {
            Ok(holds) if holds == decider => return Ok(decider),
            Ok(_) => {}
            Err(reason) => failure = failure.or(Some(reason)),
        }
    }
    failure.map_or(Ok(!decider), Err)
}

/// One evaluation. The interpreter's context is made when the first part needs it.
pub(super) struct Run<'e, 's, 'c, 'r> {
    program: &'e Program,
    scope: &'e Scope<'s, 'c, 'r>,
    context: Option<Context<'e, 'e>>,
}

impl<'e, 's, 'c, 'r> Run<'e, 's, 'c, 'r> {
    pub(super) fn new(program: &'e Program, scope: &'e Scope<'s, 'c, 'r>) -> Self {
        Self { program, scope, context: None }
    }

    fn interpret(&mut self, expression: &Expression) -> Result<bool, String> {
        let scope = self.scope;
        scope.fault(); // of an earlier part, which did not matter
        let context = self.context.get_or_insert_with(|| {
            let mut context = Context::with_env(Arc::clone(&ENV));
            context.set_variable_resolver(scope);
            context
        });
        match Value::resolve_val(expression, context) {
            Ok(value) => match value.downcast_ref::<CelBool>() {
                Some(truth) => Ok(*truth.inner()),
                None => Err(self.program.untrue(expression, value.get_type().name())),
            },
            Err(error) => Err(scope.fault().unwrap_or_else(|| self.program.readable(&error.to_string()))),
        }
    }
}

impl Test {
    /// The path and test of a call that is one.
    fn of(call: &CallExpr) -> Option<(usize, Self)> {
        match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::EQUALS | operators::NOT_EQUALS, [left, right]) => {
                let (path, literal) = (lower::path_number(left), Literal::of(right));
                let (path, literal) = path.zip(literal).or_else(|| lower::path_number(right).zip(Literal::of(left)))?;
                Some((path, Test::Among(vec![literal])))
            }
            (operators::IN, [value, IdedExpr { expr: Expr::List(list), .. }]) => {
                let literals: Option<Vec<Literal>> = list.elements.iter().map(Literal::of).collect();
                Some((lower::path_number(value)?, Test::Among(literals?)))
            }
            (comparison, [IdedExpr { expr: Expr::Call(left), .. }, right]) if left.func_name == "int_of" => {
                let (_, order) = functions::COMPARISONS.iter().find(|(name, _)| *name == comparison)?;
                let Literal::Int(number) = Literal::of(right)? else { return None };
                Some((lower::path_number(left.args.first()?)?, Test::IntOf(*order, number)))
            }
            ("glob", [value, pattern]) => {
                let Literal::Text(pattern) = Literal::of(pattern)? else { return None };
                Some((lower::path_number(value)?, Test::Glob(pattern)))
            }
            ("@regex", [value, pattern]) => {
                Some((lower::path_number(value)?, Test::Regex(lower::pattern_number(pattern)?)))
            }
            ("any_ci", [values, wanted]) => {
                let wanted = match &wanted.expr {
                    Expr::List(list) => list.elements.iter().map(Literal::of).collect::<Option<Vec<_>>>()?,
                    _ => vec![Literal::of(wanted)?],
                };
                let text = |literal| if let Literal::Text(text) = literal { Some(text) } else { None };
                let wanted = wanted.into_iter().map(text).collect::<Option<Vec<_>>>()?;
                Some((lower::path_number(values)?, Test::AnyCi(wanted)))
            }
            ("truthy", [value]) => Some((lower::path_number(value)?, Test::Truthy)),
            ("falsy", [value]) => Some((lower::path_number(value)?, Test::Falsy)),
            _ => None,
        }
    }

    fn holds(&self, found: Found<'_>, program: &Program) -> bool {
        match self {
            Test::Among(literals) => literals.iter().any(|literal| literal.is(&found)),
            Test::Truthy => found.truth() == Some(true),
            Test::Falsy => found.truth() == Some(false),
            Test::IntOf(order, wanted) => found.int_of().is_some_and(|number| order(number.cmp(wanted))),
            Test::Glob(pattern) => found.written(|text| functions::glob_matches(text.as_bytes(), pattern.as_bytes())),
            Test::Regex(number) => {
                let pattern = program.patterns.get(*number);
                pattern.is_some_and(|pattern| found.written(|text| pattern.is_in(text)))
            }
            Test::AnyCi(wanted) => match found.text() {
                Some(text) => wanted.iter().any(|wanted| wanted.eq_ignore_ascii_case(text)),
                None => functions::any_among(found.value().as_ref(), wanted),
            },
        }
    }
}

impl Literal {
    fn of(expression: &IdedExpr) -> Option<Self> {
        let Expr::Literal(literal) = &expression.expr else { return None };
        match literal {
            LiteralValue::Null => Some(Literal::Null),
            LiteralValue::Boolean(value) => Some(Literal::Truth(*value.inner())),
            LiteralValue::Int(value) => Some(Literal::Int(*value.inner())),
            LiteralValue::String(value) => Some(Literal::Text(value.inner().to_owned())),
            LiteralValue::Bytes(_) | LiteralValue::Double(_) | LiteralValue::UInt(_) => None,
        }
    }

    fn is(&self, found: &Found<'_>) -> bool {
        match self {
            Literal::Null => found.is_nothing(),
            Literal::Truth(wanted) => found.exact_truth() == Some(*wanted),
            Literal::Int(wanted) => found.is_int(*wanted),
            Literal::Text(wanted) => found.text() == Some(wanted),
        }
    }
}
