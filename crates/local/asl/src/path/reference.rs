//! Reference paths: where a result is put into a document.
//!
//! Spec: <https://states-language.net/#ref-paths>.

use super::{Path, Root, Segment, Selector};
use serde_json::{Map, Value};

/// A path of plain names and positions, such as `$.task.result`.
#[derive(Clone, Debug)]
pub(crate) struct ReferencePath {
    text: Box<str>,
    steps: Vec<Step>,
}

#[derive(Clone, Debug)]
enum Step {
    Name(Box<str>),
    Index(usize),
}

impl ReferencePath {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let path = Path::parse(text)?;
        if path.root != Root::Input {
            return Err("a reference path must begin with `$`".to_owned());
        }
        let steps = path.segments.into_iter().map(step).collect::<Option<_>>();
        let steps = steps.ok_or("a reference path names one place only")?;
        Ok(Self { text: text.into(), steps })
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn is_root(&self) -> bool {
        self.steps.is_empty()
    }

    /// Puts `result` into `document`, making objects on the way; false where something else is
    /// in the way.
    pub(crate) fn put(&self, document: &mut Value, result: Value) -> bool {
        let mut place = document;
        for step in &self.steps {
            match descend(place, step) {
                Some(next) => place = next,
                None => return false,
            }
        }
        *place = result;
        true
    }
}

fn step(segment: Segment) -> Option<Step> {
    match segment {
        Segment::Child(Selector::Name(name)) => Some(Step::Name(name)),
        Segment::Child(Selector::Index(index)) => usize::try_from(index).ok().map(Step::Index),
        _ => None,
    }
}

fn descend<'a>(place: &'a mut Value, step: &Step) -> Option<&'a mut Value> {
    match step {
        Step::Name(name) => {
            let members = place.as_object_mut()?;
            Some(members.entry(&**name).or_insert_with(|| Value::Object(Map::new())))
        }
        Step::Index(index) => place.as_array_mut()?.get_mut(*index),
    }
}
