//! A table of `upsert` in its deployment: its settings, its bookmark, and where its things lie.

use domain::failure::Failure;
use domain::object::ObjectRef;
use domain::table::settings::TableSettings;
use domain::table::{Table, sql};
use domain::upsert::bookmark::Bookmark;
use domain::upsert::place;
use domain::upsert::stage::{Asked, Named};

use crate::deployment::{Deployment, variable};

/// A settings file of the most columns, each with a long path, stays far below it.
const SETTINGS_LIMIT_BYTES: u64 = 1 << 20;

/// A table and where its things lie.
#[derive(Debug, Clone)]
pub struct Kept {
    /// What its owner wrote, checked.
    pub table: Table,
    /// The bucket of tables, bookmarks, staged and refused rows.
    pub lake_bucket: String,
    /// The bucket of the changes.
    pub source_bucket: String,
    /// The statements that make table and views, in order.
    pub setup: Vec<String>,
}

impl Kept {
    /// Finds the table that is asked for.
    ///
    /// # Errors
    /// `InvalidInput` where its settings cannot be used; what S3 says.
    pub async fn find(deployment: &Deployment, asked: Asked) -> Result<Self, Failure> {
        let lake_bucket = lake_bucket(deployment)?.to_owned();
        let settings = match asked.named()? {
            Named::Here(settings) => *settings,
            Named::At(object) => read(deployment, &object).await?,
        };
        let table = Table::new(settings).map_err(|error| Failure::invalid_input(format!("failed to use {error}")))?;
        let location = table.location.clone();
        let location = location.unwrap_or_else(|| format!("s3://{lake_bucket}/{}", place::data(&table.name)));
        let views = table.views.iter().map(|view| filled(view, deployment, &lake_bucket));
        let setup = sql::create(&table, &location).into_iter().chain(views).collect();
        let source_bucket = table.source.bucket.clone().unwrap_or_else(|| lake_bucket.clone());
        Ok(Self { table, lake_bucket, source_bucket, setup })
    }

    /// Where the bookmark lies.
    #[must_use]
    pub fn bookmark_place(&self) -> ObjectRef {
        ObjectRef::new(&self.lake_bucket, place::bookmark(&self.table.name))
    }

    /// The bookmark with its entity tag; a new one where there is none yet.
    ///
    /// # Errors
    /// What S3 says.
    pub async fn bookmark(&self, deployment: &Deployment) -> Result<(Bookmark, Option<String>), Failure> {
        let read = deployment.store.read_tagged_json(&self.bookmark_place()).await?;
        Ok(read.map_or_else(Default::default, |(bookmark, etag)| (bookmark, Some(etag))))
    }

    /// A hash of the statements that make table and views.
    #[must_use]
    pub fn setup_hash(&self) -> String {
        domain::run::request_token(&self.table.name.to_string(), &self.setup.join(";"), 0, "setup")
    }
}

/// The bucket of tables.
///
/// # Errors
/// `InvalidInput` where the deployment has none.
pub fn lake_bucket(deployment: &Deployment) -> Result<&str, Failure> {
    let missing = || Failure::invalid_input(format!("`{}` is not set on this function", variable::LAKE_BUCKET));
    deployment.names.lake_bucket.as_deref().ok_or_else(missing)
}

async fn read(deployment: &Deployment, object: &ObjectRef) -> Result<TableSettings, Failure> {
    let text = deployment.store.read_text(object, SETTINGS_LIMIT_BYTES).await?;
    let extension = object.key.rsplit_once('.').map_or("", |(_, extension)| extension);
    let parsed = if extension.eq_ignore_ascii_case("json") {
        serde_json::from_str(&text).map_err(|error| error.to_string())
    } else {
        toml::from_str(&text).map_err(|error| error.to_string())
    };
    parsed
        .map_err(|error| Failure::invalid_input(format!("failed to understand the table settings `{object}`: {error}")))
}

/// The statement with the names of the deployment's buckets in it.
fn filled(statement: &str, deployment: &Deployment, lake_bucket: &str) -> String {
    statement
        .replace("${lake_bucket}", lake_bucket)
        .replace("${extracted_bucket}", &deployment.names.extracted_bucket)
        .replace("${catalog_bucket}", &deployment.names.catalog_bucket)
}
