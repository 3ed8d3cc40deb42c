//! From what the parser gives to what the interpreter evaluates: names checked, selections folded into paths, and the
//! operators that a missing member would break replaced by ours.

use std::mem;

use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, SelectExpr, SourceInfo, operators,
};
use cel::common::types::{CelBool, CelString};
use cel::parser::Expression;

use super::functions::Pattern;
use super::logic::Node;
use super::names::{self, Path, Shape};
use super::{ExpressionError, Program};

/// Comparisons, under names that the interpreter does not know, so that it calls our functions for them.
const COMPARISONS: [(&str, &str); 4] = [
    (operators::LESS, "@lt"),
    (operators::LESS_EQUALS, "@le"),
    (operators::GREATER, "@gt"),
    (operators::GREATER_EQUALS, "@ge"),
];

/// What negation is lowered to.
pub(super) const NOT: &str = operators::CONDITIONAL;

/// Checks and rewrites a parsed expression.
pub(super) fn lower(
    parsed: Expression,
    source: &str,
    info: &SourceInfo,
    with_state: bool,
) -> Result<Program, Vec<ExpressionError>> {
    let mut lowering = Lowering {
        source,
        info,
        with_state,
        bound: Vec::new(),
        paths: Vec::new(),
        patterns: Vec::new(),
        unknowns: Vec::new(),
        errors: Vec::new(),
    };
    let expression = lowering.node(parsed);
    let Lowering { paths, patterns, unknowns, errors, .. } = lowering;
    if errors.is_empty() { Ok(Program { root: Node::of(expression), paths, patterns, unknowns }) } else { Err(errors) }
}

struct Lowering<'s> {
    source: &'s str,
    info: &'s SourceInfo,
    with_state: bool,
    /// The variables of the comprehensions around.
    bound: Vec<String>,
    paths: Vec<Path>,
    patterns: Vec<Pattern>,
    unknowns: Vec<String>,
    errors: Vec<ExpressionError>,
}

impl Lowering<'_> {
    fn node(&mut self, mut node: IdedExpr) -> IdedExpr {
        let id = node.id;
        node.expr = match mem::take(&mut node.expr) {
            Expr::Ident(name) => self.ident(id, name),
            Expr::Select(select) => self.select(id, select),
            Expr::Call(call) => self.call(id, call),
            Expr::Comprehension(comprehension) => self.comprehension(id, *comprehension),
            Expr::List(mut list) => {
                list.elements = self.nodes(list.elements);
                Expr::List(list)
            }
            Expr::Map(mut map) => {
                for entry in &mut map.entries {
                    if let EntryExpr::MapEntry(entry) = &mut entry.expr {
                        entry.key = self.node(mem::take(&mut entry.key));
                        entry.value = self.node(mem::take(&mut entry.value));
                    }
                }
                Expr::Map(map)
            }
            Expr::Struct(message) => {
                self.wrong(id, &format!("`{}{{…}}` cannot be built", message.type_name), None);
                Expr::Struct(message)
            }
            literal @ (Expr::Literal(_) | Expr::Unspecified) => literal,
        };
        node
    }

    fn nodes(&mut self, nodes: Vec<IdedExpr>) -> Vec<IdedExpr> {
        nodes.into_iter().map(|node| self.node(node)).collect()
    }

    fn ident(&mut self, id: u64, name: String) -> Expr {
        if self.is_bound(&name) || names::TYPES.contains(&name.as_str()) {
            return Expr::Ident(name);
        }
        self.path(id, &name, Vec::new())
    }

    /// `a.b`: a step on the way of a path, or a selection from a computed value.
    fn select(&mut self, id: u64, select: SelectExpr) -> Expr {
        if select.test {
            // `has(a.b)` is `a.b != null`: a member that is not there is null here.
            let plain = IdedExpr { id, expr: Expr::Select(SelectExpr { test: false, ..select }) };
            let null = IdedExpr { id, expr: Expr::Literal(LiteralValue::Null) };
            return call(operators::NOT_EQUALS, vec![self.node(plain), null]);
        }
        let whole = Expr::Select(select);
        if let Some((root, members)) = self.chain(&whole) {
            return self.path(id, &root, members);
        }
        let Expr::Select(select) = whole else { return whole };
        let operand = self.node(*select.operand);
        call("@get", vec![operand, IdedExpr { id, expr: string(select.field) }])
    }

    /// The variable and members that a selection spells, unless its first name is bound by a comprehension.
    fn chain(&self, expr: &Expr) -> Option<(String, Vec<String>)> {
        match expr {
            Expr::Ident(name) if !self.is_bound(name) => Some((name.clone(), Vec::new())),
            Expr::Select(select) if !select.test => {
                let (root, mut members) = self.chain(&select.operand.expr)?;
                members.push(select.field.clone());
                Some((root, members))
            }
            Expr::Call(call) if call.func_name == operators::INDEX => match call.args.as_slice() {
                [operand, IdedExpr { expr: Expr::Literal(LiteralValue::String(member)), .. }] => {
                    let (root, mut members) = self.chain(&operand.expr)?;
                    members.push(member.inner().to_owned());
                    Some((root, members))
                }
                _ => None,
            },
            _ => None,
        }
    }

    fn path(&mut self, id: u64, name: &str, members: Vec<String>) -> Expr {
        let text = std::iter::once(name).chain(members.iter().map(String::as_str)).collect::<Vec<_>>().join(".");
        let Some((root, shape)) = names::variable(name) else {
            let hint = names::nearest(name, names::VARIABLES.iter().map(|(name, ..)| *name));
            self.wrong(id, &format!("`{name}` is no variable"), hint.map(|near| format!("did you mean `{near}`?")));
            return Expr::Ident(text);
        };
        match (shape, members.as_slice()) {
            (Shape::Members(known), []) => {
                self.wrong(id, &format!("`{name}` is no value by itself"), Some(one_of(known)));
            }
            (Shape::Members(known), [member, ..]) if !known.contains(&member.as_str()) => {
                self.wrong(id, &format!("`{name}` has no member `{member}`"), Some(one_of(known)));
            }
            (Shape::Members(_), [member, _, ..]) => {
                self.wrong(id, &format!("`{name}.{member}` has no members"), None);
            }
            (Shape::List(known), [_, ..]) => {
                let hint = format!("use `{name}.exists(x, …)`; an element has {}", known.join(", "));
                self.wrong(id, &format!("`{name}` is a list"), Some(hint));
            }
            _ => {}
        }
        let path = Path { root, members, text };
        let index = self.paths.iter().position(|known| *known == path).unwrap_or_else(|| {
            self.paths.push(path);
            self.paths.len() - 1
        });
        Expr::Ident(format!("@p{index}"))
    }

    fn call(&mut self, id: u64, mut call_expr: CallExpr) -> Expr {
        let name = call_expr.func_name.clone();
        if name == operators::INDEX
            && let Some((root, members)) = self.chain(&Expr::Call(call_expr.clone()))
        {
            return self.path(id, &root, members);
        }
        if let Some(target) = call_expr.target.take() {
            self.known_function(id, &name, call_expr.args.len(), names::MEMBER_FUNCTIONS);
            let target = self.node(*target);
            let args = self.nodes(call_expr.args);
            return Expr::Call(CallExpr { func_name: name, target: Some(Box::new(target)), args });
        }
        match name.as_str() {
            operators::OPT_SELECT | operators::OPT_INDEX => {
                let hint = "a member that is not there is null: write it without `?`".to_owned();
                self.wrong(id, "optional selection is not supported", Some(hint));
            }
            operators::LOGICAL_NOT if call_expr.args.len() == 1 => return negated(id, self.nodes(call_expr.args)),
            "unknown" | "regex" => return self.literal_call(id, &name, call_expr),
            "json" => {
                self.known_function(id, &name, call_expr.args.len(), names::FUNCTIONS);
                let mut args = self.nodes(call_expr.args);
                args.push(IdedExpr { id, expr: Expr::Ident("@d".to_owned()) });
                return call("@json", args);
            }
            operator if !operator.chars().all(|c| c.is_alphanumeric() || c == '_') => {}
            _ if is_function(&name) => self.known_function(id, &name, call_expr.args.len(), names::FUNCTIONS),
            _ => self.known_function(id, &name, call_expr.args.len(), names::STANDARD),
        }
        let mut args = self.nodes(call_expr.args);
        if let (operators::INDEX, [_, IdedExpr { expr: Expr::Literal(LiteralValue::String(_)), .. }]) =
            (name.as_str(), args.as_slice())
        {
            return call("@get", args);
        }
        if matches!(name.as_str(), operators::EQUALS | operators::NOT_EQUALS)
            && matches!(args.first().map(|arg| &arg.expr), Some(Expr::List(_) | Expr::Map(_)))
        {
            args.reverse(); // a list of the record knows how to compare with a literal, not the other way round
        }
        let name = COMPARISONS.iter().find(|(theirs, _)| *theirs == name).map_or(name.as_str(), |(_, ours)| ours);
        call(name, args)
    }

    /// `unknown("…")` and `regex(x, "…")`: their literal is kept beside the expression.
    fn literal_call(&mut self, id: u64, name: &str, mut call_expr: CallExpr) -> Expr {
        self.known_function(id, name, call_expr.args.len(), names::FUNCTIONS);
        let Some(IdedExpr { expr: Expr::Literal(LiteralValue::String(literal)), .. }) = call_expr.args.pop() else {
            self.wrong(id, &format!("`{name}` needs a text written out as its last argument"), None);
            return Expr::Unspecified;
        };
        if name == "unknown" {
            if !self.with_state {
                let hint = "name the kind of resource that tells in `state`, as its provider writes it".to_owned();
                self.wrong(id, "`unknown` in a rule without `state`: nothing could ever settle it", Some(hint));
            }
            self.unknowns.push(literal.into_inner());
            return Expr::Ident(format!("@u{}", self.unknowns.len() - 1));
        }
        match Pattern::new(literal.inner()) {
            Ok(pattern) => self.patterns.push(pattern),
            Err(error) => self.wrong(id, &format!("`{}` is no regular expression: {error}", literal.inner()), None),
        }
        let mut args = self.nodes(call_expr.args);
        let index = self.patterns.len().saturating_sub(1);
        args.push(IdedExpr { id, expr: Expr::Ident(format!("@r{index}")) });
        call("@regex", args)
    }

    fn comprehension(&mut self, id: u64, mut comprehension: ComprehensionExpr) -> Expr {
        let name = comprehension.iter_var.clone();
        if names::variable(&name).is_some() || self.is_bound(&name) {
            self.wrong(id, &format!("`{name}` has a meaning already"), Some("name it otherwise".to_owned()));
        }
        comprehension.iter_range = self.node(comprehension.iter_range);
        comprehension.accu_init = self.node(comprehension.accu_init);
        let outer = self.bound.len();
        self.bound.extend([name, comprehension.accu_var.clone()]);
        comprehension.loop_cond = self.node(condition(comprehension.loop_cond));
        comprehension.loop_step = self.node(comprehension.loop_step);
        comprehension.result = self.node(comprehension.result);
        self.bound.truncate(outer);
        Expr::Comprehension(Box::new(comprehension))
    }

    fn known_function(&mut self, id: u64, name: &str, given: usize, known: &[(&str, usize)]) {
        let Some((_, wanted)) = known.iter().find(|(function, _)| *function == name) else {
            let words = known.iter().chain(names::FUNCTIONS).map(|(name, _)| *name);
            let hint = match name {
                "matches" => Some("use `regex(text, \"pattern\")`, which is compiled once".to_owned()),
                _ => names::nearest(name, words).map(|near| format!("did you mean `{near}`?")),
            };
            return self.wrong(id, &format!("`{name}` is no function here"), hint);
        };
        if given != *wanted {
            self.wrong(id, &format!("`{name}` takes {wanted} arguments, not {given}"), None);
        }
    }

    fn is_bound(&self, name: &str) -> bool {
        self.bound.iter().any(|bound| bound == name)
    }

    fn wrong(&mut self, id: u64, message: &str, hint: Option<String>) {
        let position = self.info.offset_for(id).map_or(0, |(start, _)| usize::try_from(start).unwrap_or(0));
        let offset = self.source.char_indices().nth(position).map_or(0, |(offset, _)| offset);
        self.errors.push(ExpressionError { offset, length: 1, message: message.to_owned(), hint });
    }
}

/// `!x` is `x ? false : true`: the interpreter prepares an error for every `!`, needed or not.
fn negated(id: u64, mut args: Vec<IdedExpr>) -> Expr {
    let literal = |truth: CelBool| IdedExpr { id, expr: Expr::Literal(LiteralValue::Boolean(truth)) };
    args.extend([literal(CelBool::FALSE), literal(CelBool::TRUE)]);
    call(NOT, args)
}

/// Whether a conditional is what [`negated`] makes.
pub(super) fn is_negation(call: &CallExpr) -> bool {
    let literal = |position: usize, truth: CelBool| {
        call.args.get(position).is_some_and(|arg| arg.expr == Expr::Literal(LiteralValue::Boolean(truth)))
    };
    call.func_name == NOT && literal(1, CelBool::FALSE) && literal(2, CelBool::TRUE)
}

/// The condition for the next round of `exists` and `all`, whose result so far is never an error.
fn condition(loop_cond: IdedExpr) -> IdedExpr {
    match loop_cond.expr {
        Expr::Call(mut call) if call.func_name == operators::NOT_STRICTLY_FALSE && call.args.len() == 1 => {
            call.args.swap_remove(0)
        }
        expr => IdedExpr { expr, ..loop_cond },
    }
}

/// The number of the path that a lowered expression is, when it is one.
pub(super) fn path_number(expression: &IdedExpr) -> Option<usize> {
    let Expr::Ident(name) = &expression.expr else { return None };
    name.strip_prefix("@p")?.parse().ok()
}

/// The number of the pattern that a lowered expression is, when it is one.
pub(super) fn pattern_number(expression: &IdedExpr) -> Option<usize> {
    let Expr::Ident(name) = &expression.expr else { return None };
    name.strip_prefix("@r")?.parse().ok()
}

fn is_function(name: &str) -> bool {
    names::FUNCTIONS.iter().any(|(function, _)| *function == name)
}

fn call(name: &str, args: Vec<IdedExpr>) -> Expr {
    Expr::Call(CallExpr { func_name: name.to_owned(), target: None, args })
}

fn string(text: String) -> Expr {
    Expr::Literal(LiteralValue::String(CelString::from(text)))
}

fn one_of(words: &[&str]) -> String {
    format!("it has {}", words.join(", "))
}
