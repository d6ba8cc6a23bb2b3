//! Textract's blocks as they are kept: lines, tables and forms, and only the words these need.
//!
//! An answer for 3,000 pages has millions of word blocks, which say again what the lines say.
//! They come page by page, so each page is thinned as soon as the next one begins.
//! <https://docs.aws.amazon.com/textract/latest/dg/API_Block.html>.

use std::collections::HashSet;

use aws_sdk_textract::types;
use serde::{Deserialize, Serialize};

/// Kept blocks of one document: beyond this, memory and the raw answer would burst. It is more
/// than 3,000 pages of dense text have lines; what is cut is named in a warning.
const MOST_BLOCKS: usize = 1_000_000;

/// A whole answer.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Raw {
    /// Pages that were read, and billed.
    pub(super) pages: u32,
    /// The file's page for each page that was sent; empty where the whole file was sent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) page_map: Vec<u32>,
    /// Thinned blocks, in the service's order.
    pub(super) blocks: Vec<Block>,
    /// What went wrong with single pages.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) warnings: Vec<Warning>,
    /// Whether blocks were left out because there were too many.
    pub(super) truncated: bool,
}

/// What went wrong with some pages.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Warning {
    pub(super) error_code: String,
    pub(super) pages: Vec<u32>,
}

/// A block, by Textract's names.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Block {
    #[serde(rename = "BlockType")]
    pub(super) kind: String,
    pub(super) page: u32,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) confidence: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) geometry: Option<Geometry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) relationships: Vec<Relationship>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) entity_types: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) selection_status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) row_index: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) column_index: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) row_span: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) column_span: Option<u32>,
}

/// Where a block is.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Geometry {
    pub(super) bounding_box: BoundingBox,
}

/// A box in ratios of the page.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct BoundingBox {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// How a block relates to others.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Relationship {
    pub(super) r#type: String,
    pub(super) ids: Vec<String>,
}

/// Thins the blocks of a document, page by page as they come.
#[derive(Debug, Default)]
pub(super) struct Thinner {
    kept: Vec<Block>,
    page: Vec<Block>,
    truncated: bool,
}

impl Thinner {
    /// Takes the next blocks of the answer.
    pub(super) fn add(&mut self, blocks: &[types::Block]) {
        for block in blocks {
            let block = block_of(block);
            if self.page.last().is_some_and(|last| last.page != block.page) {
                self.end_page();
            }
            self.page.push(block);
        }
    }

    /// The kept blocks, and whether some were left out.
    pub(super) fn finish(mut self) -> (Vec<Block>, bool) {
        self.end_page();
        (self.kept, self.truncated)
    }

    fn end_page(&mut self) {
        let needed: HashSet<String> =
            self.page.iter().filter(|block| needs_words(block)).flat_map(Block::related).cloned().collect();
        for block in self.page.drain(..) {
            let kept = match block.kind.as_str() {
                "PAGE" | "LINE" => Some(Block { id: String::new(), relationships: Vec::new(), ..block }),
                "TABLE" => Some(block),
                "WORD" | "SELECTION_ELEMENT" => needed.contains(&block.id).then_some(block),
                _ => needs_words(&block).then_some(block),
            };
            if self.kept.len() < MOST_BLOCKS {
                self.kept.extend(kept);
            } else {
                self.truncated |= kept.is_some();
            }
        }
    }
}

fn needs_words(block: &Block) -> bool {
    matches!(block.kind.as_str(), "CELL" | "MERGED_CELL" | "KEY_VALUE_SET")
}

impl Block {
    /// The ids of all blocks that this one relates to.
    fn related(&self) -> impl Iterator<Item = &String> {
        self.relationships.iter().flat_map(|relationship| &relationship.ids)
    }

    /// The ids of the blocks that this one relates to in the way of `kind`.
    pub(super) fn ids(&self, kind: &str) -> impl Iterator<Item = &str> {
        let of_kind = self.relationships.iter().filter(move |relationship| relationship.r#type == kind);
        of_kind.flat_map(|relationship| relationship.ids.iter().map(String::as_str))
    }
}

fn block_of(block: &types::Block) -> Block {
    let kind = block.block_type().map_or("", types::BlockType::as_str);
    let geometry = block.geometry().and_then(types::Geometry::bounding_box).filter(|_| kind == "LINE");
    Block {
        kind: kind.to_owned(),
        page: natural(block.page()).unwrap_or(1),
        id: block.id().unwrap_or_default().to_owned(),
        text: block.text().map(str::to_owned),
        confidence: block.confidence().map(decimal),
        geometry: geometry.map(geometry_of),
        relationships: block.relationships().iter().map(relationship_of).collect(),
        entity_types: block.entity_types().iter().map(|kind| kind.as_str().to_owned()).collect(),
        selection_status: block.selection_status().map(|status| status.as_str().to_owned()),
        row_index: natural(block.row_index()),
        column_index: natural(block.column_index()),
        row_span: natural(block.row_span()),
        column_span: natural(block.column_span()),
    }
}

fn geometry_of(it: &types::BoundingBox) -> Geometry {
    Geometry {
        bounding_box: BoundingBox {
            left: decimal(it.left()),
            top: decimal(it.top()),
            width: decimal(it.width()),
            height: decimal(it.height()),
        },
    }
}

fn relationship_of(it: &types::Relationship) -> Relationship {
    let kind = it.r#type().map_or("", types::RelationshipType::as_str);
    Relationship { r#type: kind.to_owned(), ids: it.ids().to_vec() }
}

/// The warnings of an answer.
pub(super) fn warnings_of(warnings: &[types::Warning]) -> Vec<Warning> {
    let pages = |it: &types::Warning| it.pages().iter().filter_map(|page| natural(Some(*page))).collect();
    warnings
        .iter()
        .map(|it| Warning { error_code: it.error_code().unwrap_or_default().to_owned(), pages: pages(it) })
        .collect()
}

/// A number that counts something; nothing where it is missing or not above zero.
pub(super) fn natural(number: Option<i32>) -> Option<u32> {
    number.and_then(|number| u32::try_from(number).ok()).filter(|number| *number > 0)
}

/// Six decimals: what single precision holds, without its binary tail.
fn decimal(number: f32) -> f64 {
    (f64::from(number) * 1e6).round() / 1e6
}
