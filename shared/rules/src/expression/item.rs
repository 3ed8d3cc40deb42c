//! Grants, openings, exposures and resources as CEL values. Unlike JSON they have fixed members: another name is an error.

use std::fmt;

use cel::ExecutionError;
use cel::common::traits::{Container, Indexer, Iterable, Iterator as Lending, Sizer};
use cel::common::types::{self, CelInt, CelList, CelString, Type};
use cel::common::value::{CowVal, Val};
use onus_core::effect::{Direction, Exposure, Protocol};
use onus_core::{Grant, Opening, Resource};

use super::nothing::nothing;
use super::value::{as_int, as_text, text, truth};

/// Something of ours with named members.
pub(super) trait Members: fmt::Debug + Send + Sync {
    /// Its CEL type.
    const TYPE: Type;

    /// The value of a member; `None` when it has no such member.
    fn member<'v>(&'v self, name: &str) -> Option<CowVal<'v, 'v>>;
}

/// One thing, borrowed.
#[derive(Debug)]
pub(super) struct Item<'a, T>(&'a T);

/// A list of such things.
#[derive(Debug)]
pub(super) struct Items<'a, T>(Vec<Item<'a, T>>);

impl<'a, T> Items<'a, T> {
    pub(super) fn of(things: &'a [T]) -> Self {
        Self(things.iter().map(Item).collect())
    }
}

fn int<'b, 'v>(value: u16) -> CowVal<'b, 'v> {
    CowVal::owned(CelInt::from(i64::from(value)))
}

fn maybe<'b>(value: Option<&str>) -> CowVal<'b, '_> {
    value.map_or_else(nothing, text)
}

/// A list of texts that are borrowed.
pub(super) fn texts<'b, 'v>(values: impl IntoIterator<Item = &'v str>) -> CowVal<'b, 'v> {
    let values = values.into_iter().map(|value| Box::new(CelString::from(value)) as Box<dyn Val + 'v>);
    CowVal::owned(CelList::from(values.collect::<Vec<_>>()))
}

fn direction(direction: Direction) -> CowVal<'static, 'static> {
    text(match direction {
        Direction::Ingress => "ingress",
        Direction::Egress => "egress",
    })
}

fn protocol(protocol: Protocol) -> CowVal<'static, 'static> {
    match protocol {
        Protocol::Any => text("any"),
        Protocol::Tcp => text("tcp"),
        Protocol::Udp => text("udp"),
        Protocol::Icmp => text("icmp"),
        Protocol::Other(number) => CowVal::owned(CelString::from(number.to_string())),
    }
}

impl Members for Resource<'_> {
    const TYPE: Type = Type::new_unspecified_type("resource");

    fn member<'v>(&'v self, name: &str) -> Option<CowVal<'v, 'v>> {
        Some(match name {
            "kind" => text(&self.kind),
            "id" => text(&self.id),
            "name" => text(&self.name),
            _ => return None,
        })
    }
}

impl Members for Grant {
    const TYPE: Type = Type::new_unspecified_type("grant");

    fn member<'v>(&'v self, name: &str) -> Option<CowVal<'v, 'v>> {
        Some(match name {
            "resource" => text(&self.resource),
            "audience" => text(self.audience.as_str()),
            "principal" => text(&self.principal),
            "account" => maybe(self.account.as_deref()),
            "actions" => texts(self.actions.iter().map(String::as_str)),
            "level" => text(self.level.as_str()),
            "via" => text(&self.via),
            "part" => maybe(self.part.as_deref()),
            _ => return None,
        })
    }
}

impl Members for Opening {
    const TYPE: Type = Type::new_unspecified_type("opening");

    fn member<'v>(&'v self, name: &str) -> Option<CowVal<'v, 'v>> {
        Some(match name {
            "resource" => text(&self.resource),
            "direction" => direction(self.direction),
            "protocol" => protocol(self.protocol),
            "from" => int(self.ports.0),
            "to" => int(self.ports.1),
            "sources" => {
                let sources = self.sources.iter().map(|net| Box::new(CelString::from(net.to_string())) as Box<dyn Val>);
                CowVal::owned(CelList::from(sources.collect::<Vec<_>>()))
            }
            "peers" => texts(self.peers.iter().map(String::as_str)),
            "rule_id" => maybe(self.rule_id.as_deref()),
            "allow" => truth(self.allow),
            _ => return None,
        })
    }
}

impl Members for Exposure {
    const TYPE: Type = Type::new_unspecified_type("exposure");

    fn member<'v>(&'v self, name: &str) -> Option<CowVal<'v, 'v>> {
        Some(match name {
            "resource" => text(&self.resource),
            "direction" => direction(self.direction),
            "protocol" => protocol(self.protocol),
            "from" => int(self.ports.0),
            "to" => int(self.ports.1),
            _ => return None,
        })
    }
}

impl<T: Members> Val for Item<'_, T> {
    fn get_type(&self) -> &Type {
        const { &T::TYPE }
    }

    fn cel_type() -> &'static Type {
        const { &T::TYPE }
    }

    fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(Item(self.0))
    }
}

impl<T: Members> Indexer for Item<'_, T> {
    fn get<'b, 'v>(&'b self, name: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let name = as_text(name).unwrap_or_default();
        self.0.member(name).ok_or_else(|| ExecutionError::no_such_key(name))
    }

    fn steal<'v>(self: Box<Self>, name: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        self.get(name).map(CowVal::into_owned)
    }
}

impl<T: Members> Val for Items<'_, T> {
    collection!(types::LIST_TYPE);

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(Items(self.0.iter().map(|item| Item(item.0)).collect()))
    }
}

impl<T: Members> Container for Items<'_, T> {
    /// Things are told apart by their members, so no value is in such a list.
    fn contains(&self, _: &dyn Val) -> Result<bool, ExecutionError> {
        Ok(false)
    }
}

impl<T: Members> Sizer for Items<'_, T> {
    fn size(&self) -> CelInt {
        CelInt::from(i64::try_from(self.0.len()).unwrap_or(i64::MAX))
    }
}

impl<T: Members> Iterable for Items<'_, T> {
    fn iter<'b, 'v>(&'b self) -> Box<dyn Lending<'b, 'v> + 'b>
    where
        Self: 'v,
    {
        Box::new(Lender(self.0.iter()))
    }
}

struct Lender<'b, 'a, T>(std::slice::Iter<'b, Item<'a, T>>);

impl<'b, 'a: 'v, 'v, T: Members + 'v> Lending<'b, 'v> for Lender<'b, 'a, T> {
    fn next(&mut self) -> Option<&'b (dyn Val + 'v)> {
        self.0.next().map(|item| item as &'b (dyn Val + 'v))
    }
}

impl<T: Members> Indexer for Items<'_, T> {
    fn get<'b, 'v>(&'b self, index: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let position = as_int(index).and_then(|position| usize::try_from(position).ok());
        Ok(position.and_then(|position| self.0.get(position)).map_or_else(nothing, |item| CowVal::Borrowed(item)))
    }

    fn steal<'v>(self: Box<Self>, index: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        self.get(index).map(CowVal::into_owned)
    }
}
