//! HTML, XML and its vocabularies, by the first tags.

/// Elements that make a file HTML when it begins with one of them.
const HTML_FIRST: &[&str] = &[
    "html",
    "head",
    "body",
    "title",
    "meta",
    "link",
    "script",
    "style",
    "div",
    "p",
    "table",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "ul",
    "ol",
    "li",
    "dl",
    "span",
    "a",
    "b",
    "i",
    "em",
    "strong",
    "br",
    "hr",
    "img",
    "pre",
    "center",
    "font",
    "form",
    "blockquote",
    "section",
    "article",
    "header",
    "main",
    "nav",
    "footer",
    "iframe",
    "base",
    "frameset",
    "tr",
    "td",
    "tbody",
    "small",
    "u",
    "video",
    "button",
    "input",
];

/// Root elements with a media type of their own; the rest is `application/xml`.
const ROOTS: &[(&str, &str)] = &[
    ("svg", "image/svg+xml"),
    ("stylesheet", "application/xslt+xml"),
    ("transform", "application/xslt+xml"),
    ("rss", "application/rss+xml"),
    ("feed", "application/atom+xml"),
    ("kml", "application/vnd.google-earth.kml+xml"),
    ("gpx", "application/gpx+xml"),
    ("collada", "model/vnd.collada+xml"),
    ("math", "application/mathml+xml"),
    ("rdf", "application/rdf+xml"),
];

/// The media type of text that is markup; `hint` is the kind that the name speaks of.
pub(super) fn detect(text: &str, hint: Option<&str>) -> Option<&'static str> {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let is_hinted = matches!(hint, Some("text/html" | "application/xhtml+xml"));
    if !text.starts_with('<') {
        return (is_hinted && has_html_tag(text)).then_some("text/html");
    }
    let has_declaration = text.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("<?xml"));
    let start = Start::of(text);
    if start.doctype.starts_with("html") && !has_declaration {
        return Some("text/html");
    }
    let local = start.root.rsplit(':').next().unwrap_or_default().to_ascii_lowercase();
    if local == "html" || start.doctype.starts_with("html") {
        return Some(if has_declaration && hint != Some("text/html") { "application/xhtml+xml" } else { "text/html" });
    }
    if has_declaration {
        return Some(xml(&start, &local));
    }
    if hint.is_some_and(|hint| hint.ends_with("xml") && hint != "application/xhtml+xml") && !local.is_empty() {
        return Some(xml(&start, &local));
    }
    if HTML_FIRST.contains(&local.as_str()) || is_hinted {
        return Some("text/html");
    }
    start.is_element(text).then(|| xml(&start, &local))
}

fn xml(start: &Start<'_>, local: &str) -> &'static str {
    if matches!(local, "stylesheet" | "transform") && !start.root.contains(':') {
        return "application/xml";
    }
    ROOTS.iter().find(|(root, _)| *root == local).map_or("application/xml", |(_, kind)| kind)
}

/// What markup begins with, behind declarations and comments.
struct Start<'a> {
    /// In lower case, from the name on.
    doctype: String,
    root: &'a str,
}

impl<'a> Start<'a> {
    fn of(text: &'a str) -> Self {
        let mut doctype = String::new();
        let mut rest = text;
        loop {
            rest = rest.trim_start();
            let end = if rest.starts_with("<!--") {
                "-->"
            } else if rest.starts_with("<?") {
                "?>"
            } else if rest.starts_with("<!") {
                doctype = rest
                    .get(2..)
                    .and_then(|it| it.split_whitespace().nth(1))
                    .unwrap_or_default()
                    .trim_end_matches('>')
                    .to_ascii_lowercase();
                if rest.find('[').is_some_and(|at| rest[..at].find('>').is_none()) { "]>" } else { ">" }
            } else {
                break;
            };
            rest = match rest.find(end) {
                Some(at) => &rest[at + end.len()..],
                None => return Self { doctype, root: "" },
            };
        }
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, ':' | '_' | '-' | '.');
        let name = rest.strip_prefix('<').unwrap_or_default();
        let root = &name[..name.find(|c| !is_name(c)).unwrap_or(name.len())];
        Self { doctype, root }
    }

    /// Whether the root is an element at all: it has a start tag that ends, and it closes or holds others.
    fn is_element(&self, text: &str) -> bool {
        let begins = self.root.starts_with(|c: char| c.is_alphabetic() || c == '_');
        begins
            && text.contains('>')
            && (text.contains(&format!("</{}", self.root)) || text.contains("/>") || text.matches("</").count() > 2)
    }
}

/// Text that is said to be HTML is, if it has a tag that HTML knows.
fn has_html_tag(text: &str) -> bool {
    text.match_indices('<').any(|(at, _)| {
        let name = text[at + 1..].trim_start_matches('/');
        let end = name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len());
        HTML_FIRST.contains(&name[..end].to_ascii_lowercase().as_str())
    })
}
