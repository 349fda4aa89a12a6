//! How the types of a patch are read and written, exactly as their JSON Schema says.

use std::{borrow::Cow, fmt, marker::PhantomData};

use chrono::NaiveDate;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, SeqAccess, Unexpected, Visitor, value::MapAccessDeserializer},
    ser::SerializeStruct,
};
use serde_json::{Value, value::RawValue};

use super::types::{Create, CreateBody, Delete, DeleteBody, Field, ListEdit, MetaUpdates, NewCriterion, ProjectPatch, TaskPatch, Update, UpdateBody};

/// Gives an enum of plain variants the words that it is written as.
macro_rules! words {
    ($name:ident { $($variant:ident = $word:literal),+ }) => {
        impl $name {
            pub const ALL: [Self; [$($word),+].len()] = [$(Self::$variant),+];

            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::patch::wire::word(deserializer, |text| Self::ALL.into_iter().find(|word| word.as_str() == text), &[$($word),+])
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "enum": [$($word),+] })
            }
            fn inline_schema() -> bool {
                true
            }
        }
    };
}
pub(super) use words;

/// Reads one of some words. What serde derives also takes an object with the word as its key.
pub(super) fn word<'de, D: Deserializer<'de>, T>(deserializer: D, find: fn(&str) -> Option<T>, words: &'static [&'static str]) -> Result<T, D::Error> {
    struct Word<T> {
        find: fn(&str) -> Option<T>,
        words: &'static [&'static str],
    }

    impl<T> Visitor<'_> for Word<T> {
        type Value = T;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(&self.words.join(" or "))
        }
        fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
            (self.find)(text).ok_or_else(|| E::unknown_variant(text, self.words))
        }
    }

    deserializer.deserialize_str(Word { find, words })
}

/// Reads structs from objects alone. What serde derives also takes an array with the fields in their order.
macro_rules! objects {
    ($($name:ident),+) => {
        $(
            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    struct Object;

                    impl<'de> Visitor<'de> for Object {
                        type Value = $name;
                        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                            f.write_str("an object")
                        }
                        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<$name, A::Error> {
                            // What `remote = "Self"` derives is a function of the type, which comes before the trait's.
                            $name::deserialize(MapAccessDeserializer::new(map))
                        }
                    }

                    deserializer.deserialize_map(Object)
                }
            }

            impl Serialize for $name {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    $name::serialize(self, serializer)
                }
            }
        )+
    };
}
objects!(ProjectPatch, MetaUpdates, CreateBody, UpdateBody, DeleteBody, NewCriterion);

/// Reads a whole number from 0, or null. JSON has one kind of number: `30.0` is whole.
pub(super) fn whole_number<'de, D: Deserializer<'de>, T: TryFrom<u64>, R: From<Option<T>>>(deserializer: D) -> Result<R, D::Error> {
    struct Whole<T>(T);

    impl<'de, T: TryFrom<u64>> Deserialize<'de> for Whole<T> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_u64(WholeVisitor(PhantomData)).map(Whole)
        }
    }

    struct WholeVisitor<T>(PhantomData<T>);

    impl<T: TryFrom<u64>> Visitor<'_> for WholeVisitor<T> {
        type Value = T;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a whole number from 0")
        }
        fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
            T::try_from(number).map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
        }
        fn visit_f64<E: de::Error>(self, number: f64) -> Result<T, E> {
            const END: f64 = 9_007_199_254_740_992.0;
            if number.fract() == 0.0 && (0.0..END).contains(&number) {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number from 0 that u64 holds")]
                return self.visit_u64(number as u64);
            }
            Err(E::invalid_value(Unexpected::Float(number), &self))
        }
    }

    Ok(Option::<Whole<T>>::deserialize(deserializer)?.map(|whole| whole.0).into())
}

/// Reads a day as RFC 3339 writes it, or null. What chrono reads is wider: `2026-1-5`, `+2026-01-05`.
pub(super) fn date<'de, D: Deserializer<'de>, R: From<Option<NaiveDate>>>(deserializer: D) -> Result<R, D::Error> {
    struct Day(NaiveDate);

    impl<'de> Deserialize<'de> for Day {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_str(DayVisitor).map(Day)
        }
    }

    struct DayVisitor;

    impl Visitor<'_> for DayVisitor {
        type Value = NaiveDate;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a day as YYYY-MM-DD")
        }
        fn visit_str<E: de::Error>(self, text: &str) -> Result<NaiveDate, E> {
            let is_plain = text.len() == 10 && text.bytes().enumerate().all(|(at, b)| if at == 4 || at == 7 { b == b'-' } else { b.is_ascii_digit() });
            let day = if is_plain { text.parse().ok() } else { None };
            day.ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
        }
    }

    Ok(Option::<Day>::deserialize(deserializer)?.map(|day| day.0).into())
}

impl<T> From<Option<T>> for Field<T> {
    fn from(value: Option<T>) -> Self {
        Self::to(value)
    }
}

impl<T: Serialize> Serialize for Field<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.set().serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Self::to)
    }
}

impl<T: JsonSchema> JsonSchema for Field<T> {
    fn schema_name() -> Cow<'static, str> {
        Option::<T>::schema_name()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Option::<T>::json_schema(generator)
    }
    fn inline_schema() -> bool {
        true
    }
}

impl<T: Serialize> Serialize for ListEdit<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Replace(list) => list.serialize(serializer),
            Self::Change { add, remove } => {
                let mut edit = serializer.serialize_struct("ListEdit", 2)?;
                edit.serialize_field("add", add)?;
                edit.serialize_field("remove", remove)?;
                edit.end()
            }
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AddAndRemove<T> {
    add: Option<Vec<T>>,
    remove: Option<Vec<String>>,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for ListEdit<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
            type Value = ListEdit<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(r#"a list, or {"add": […], "remove": […]}"#)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = seq.next_element()? {
                    list.push(item);
                }
                Ok(ListEdit::Replace(list))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let AddAndRemove { add, remove } = AddAndRemove::deserialize(MapAccessDeserializer::new(map))?;
                Ok(ListEdit::Change { add: add.unwrap_or_default(), remove: remove.unwrap_or_default() })
            }
        }

        deserializer.deserialize_any(Either(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for ListEdit<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("ListEdit_{}", T::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let list = generator.subschema_for::<Vec<T>>();
        let change = AddAndRemove::<T>::json_schema(generator);
        json_schema!({ "anyOf": [list, change] })
    }
    fn inline_schema() -> bool {
        true
    }
}

impl Serialize for TaskPatch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut patch = serializer.serialize_struct("TaskPatch", 4)?;
        patch.serialize_field("op", self.op())?;
        patch.serialize_field("task_id", self.task_id())?;
        match self {
            Self::Create(create) => {
                if let Some(id) = &create.id {
                    patch.serialize_field("id", id)?;
                }
                patch.serialize_field("body", &create.body)?;
            }
            Self::Update(update) => patch.serialize_field("body", &update.body)?,
            Self::Delete(delete) => patch.serialize_field("body", &delete.body)?,
        }
        patch.end()
    }
}

#[derive(Clone, Copy)]
enum Op {
    Create,
    Update,
    Delete,
}

impl<'de> Deserialize<'de> for Op {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let find = |text: &str| match text {
            "create" => Some(Self::Create),
            "update" => Some(Self::Update),
            "delete" => Some(Self::Delete),
            _ => None,
        };
        word(deserializer, find, &["create", "update", "delete"])
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Key {
    Op,
    TaskId,
    Id,
    Body,
}

enum Body {
    Create(CreateBody),
    Update(UpdateBody),
    Delete(DeleteBody),
}

impl<'de> Deserialize<'de> for TaskPatch {
    /// Reads the body straight into the type that `op` tells. Where `body` comes before `op` it is kept as it is written first.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Operation;

        impl<'de> Visitor<'de> for Operation {
            type Value = TaskPatch;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an operation: {op, task_id, body}")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<TaskPatch, A::Error> {
                let (mut op, mut task_id, mut id, mut body, mut early) = (None::<Op>, None, None, None, None::<Box<RawValue>>);
                while let Some(key) = map.next_key()? {
                    match key {
                        Key::Op if op.is_some() => return Err(de::Error::duplicate_field("op")),
                        Key::Op => op = Some(map.next_value()?),
                        Key::TaskId if task_id.is_some() => {
                            return Err(de::Error::duplicate_field("task_id"));
                        }
                        Key::TaskId => task_id = Some(map.next_value()?),
                        Key::Id if id.is_some() => return Err(de::Error::duplicate_field("id")),
                        Key::Id => id = Some(map.next_value()?),
                        Key::Body if body.is_some() || early.is_some() => {
                            return Err(de::Error::duplicate_field("body"));
                        }
                        Key::Body => match op {
                            Some(Op::Create) => body = Some(Body::Create(map.next_value()?)),
                            Some(Op::Update) => body = Some(Body::Update(map.next_value()?)),
                            Some(Op::Delete) => body = Some(Body::Delete(map.next_value()?)),
                            None => early = Some(map.next_value()?),
                        },
                    }
                }
                let op = op.ok_or_else(|| de::Error::missing_field("op"))?;
                let task_id = task_id.ok_or_else(|| de::Error::missing_field("task_id"))?;
                if let Some(raw) = early {
                    body = Some(match op {
                        Op::Create => Body::Create(from_raw(&raw)?),
                        Op::Update => Body::Update(from_raw(&raw)?),
                        Op::Delete => Body::Delete(from_raw(&raw)?),
                    });
                }
                match (op, body) {
                    (Op::Create, Some(Body::Create(body))) => Ok(TaskPatch::Create(Create { task_id, id, body })),
                    (_, Some(_)) if id.is_some() => Err(de::Error::unknown_field("id", &["op", "task_id", "body"])),
                    (Op::Update, Some(Body::Update(body))) => Ok(TaskPatch::Update(Update { task_id, body })),
                    (Op::Delete, Some(Body::Delete(body))) => Ok(TaskPatch::Delete(Delete { task_id, body })),
                    (Op::Delete, None) => Ok(TaskPatch::Delete(Delete { task_id, body: DeleteBody::default() })),
                    _ => Err(de::Error::missing_field("body")),
                }
            }
        }

        deserializer.deserialize_map(Operation)
    }
}

fn from_raw<T: de::DeserializeOwned, E: de::Error>(raw: &RawValue) -> Result<T, E> {
    // Where in the body it is would be said as where in the whole.
    serde_json::from_str(raw.get())
        .map_err(|error| E::custom(error.to_string().rsplit_once(" at line ").map_or_else(|| error.to_string(), |(what, _)| what.to_owned())))
}

impl JsonSchema for TaskPatch {
    fn schema_name() -> Cow<'static, str> {
        "TaskPatch".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let variant = |op: &str, schema: Schema| {
            let mut schema = schema;
            let object = schema.ensure_object();
            object.entry("properties").or_insert_with(|| Value::Object(serde_json::Map::new()))["op"] = serde_json::json!({ "const": op });
            if let Some(Value::Array(required)) = object.get_mut("required") {
                required.insert(0, "op".into());
            }
            schema
        };
        let create = variant("create", Create::json_schema(generator));
        let update = variant("update", Update::json_schema(generator));
        let delete = variant("delete", Delete::json_schema(generator));
        json_schema!({ "description": "One operation on one task.", "oneOf": [create, update, delete] })
    }
}
