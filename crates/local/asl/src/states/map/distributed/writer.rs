//! `ResultWriter`: where the results of a Map Run go, and in what form.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html>.

use super::reader::{evaluated, named, parameters_field};
use crate::definition::Reader;
use crate::failure::Fault;
use crate::intrinsic::Random;
use crate::map_run::{OutputType, ResultWriter, WriterTransformation};
use crate::payload::Payload;
use crate::scope::Scope;
use crate::template::Template;

#[derive(Debug)]
pub(super) struct Writer {
    /// Without a resource the results are the state's own.
    exports: bool,
    parameters: Option<Template>,
    transformation: Option<WriterTransformation>,
    output_type: OutputType,
}

impl Writer {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Option<Self> {
        let mut inner = reader.nested("ResultWriter")?;
        inner.ignore(&["Comment"]);
        let (has_resource, has_config) = (inner.has("Resource"), inner.has("WriterConfig"));
        if !has_resource && !has_config {
            inner.problem("", "these fields are required: one of `Resource` and `WriterConfig`");
        }
        check_resource(&mut inner);
        let parameters = inner.template(parameters_field(&inner));
        if has_resource && parameters.is_none() {
            let field = parameters_field(&inner);
            inner.problem("", format!("these fields are required: `{field}`"));
        }
        let (transformation, output_type) = read_config(&mut inner);
        inner.finish();
        Some(Self { exports: has_resource, parameters, transformation, output_type })
    }

    pub(super) fn order(&self, scope: &Scope<'_>, random: Random<'_>) -> Result<ResultWriter, Fault> {
        let parameters = evaluated(self.parameters.as_ref().filter(|_| self.exports), scope, random)?;
        let usual = if self.exports { WriterTransformation::None } else { WriterTransformation::Compact };
        Ok(ResultWriter {
            parameters: parameters.map(Payload::from),
            transformation: self.transformation.unwrap_or(usual),
            output_type: self.output_type,
        })
    }
}

fn check_resource(reader: &mut Reader<'_, '_>) {
    let Some(text) = reader.string("Resource") else {
        return;
    };
    let action = text.strip_prefix("arn:").and_then(|rest| rest.split_once(":states:::"));
    if action.map(|(_, action)| action) != Some("s3:putObject") {
        reader.problem("Resource", format!("`{text}` is not an action that results can be written with"));
    }
}

fn read_config(reader: &mut Reader<'_, '_>) -> (Option<WriterTransformation>, OutputType) {
    let Some(mut config) = reader.nested("WriterConfig") else {
        return (None, OutputType::default());
    };
    config.ignore(&["Comment"]);
    let transformation = named(&mut config, "Transformation");
    let output_type = named(&mut config, "OutputType").unwrap_or_default();
    config.finish();
    (transformation, output_type)
}
