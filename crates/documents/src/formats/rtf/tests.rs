use super::*;
use crate::limits::Limits;

fn read_rtf(rtf: &str) -> domain::extraction::Extraction {
    let limits = Limits::default();
    let mut draft = Draft::new(&limits);
    read_bytes(rtf.as_bytes(), &mut draft);
    draft.finish()
}

#[test]
fn text_comes_out_of_controls() {
    let cases = [
        (r"{\rtf1\ansi Hello {\b bold} world\par Next}", "Hello bold world\nNext\n"),
        (r"{\rtf1\ansi\ansicpg1252 K\'f6ln \u8364? \emdash\~x}", "Köln € —\u{a0}x\n"),
        (r"{\rtf1\uc2\u945\'5f\'5fb}", "αb\n"),
        (r"{\rtf1\u-10179?\u-8704?!}", "😀!\n"),
        (r"{\rtf1{\fonttbl{\f0\fcharset204 Arial;}}\f0\'cf\'f0}", "Пр\n"),
        (r"{\rtf1{\fonttbl{\f0\fcharset128 Mincho;}}\f0\'93\'fa\'96\'7b}", "日本\n"),
        (r"{\rtf1{\*\unknown no}{\pict 00ff}{\field{\*\fldinst HYPERLINK}{\fldrslt shown}}}", "shown\n"),
        (r"{\rtf1 a\{b\}\\c{\v hidden}\bin3 }}}d}", "a{b}\\cd\n"),
        (r"{\rtf1 not closed {\b and", "not closed and\n"),
    ];
    for (rtf, expected) in cases {
        assert_eq!(read_rtf(rtf).text, expected, "{rtf}");
    }
}

#[test]
fn html_in_rtf_gives_its_text() {
    let rtf = r"{\rtf1\ansi\fromhtml1 {\*\htmltag64 <p>}\htmlrtf {\htmlrtf0 Hello{\*\htmltag72 </p>}\htmlrtf \par}\htmlrtf0 }";
    assert_eq!(read_rtf(rtf).text, "Hello\n");
}

#[test]
fn rows_become_a_table_and_info_becomes_metadata() {
    let rtf = r"{\rtf1{\info{\title My Title}{\author Ann}}\trowd\cellx1\cellx2 A\cell B\cell\row\trowd 1\cell 2\cell\row\pard After\par}";
    let document = read_rtf(rtf);
    assert_eq!(document.metadata["Title"], "My Title");
    assert_eq!(document.metadata["Author"], "Ann");
    let cells: Vec<_> =
        document.tables[0].cells.iter().map(|cell| (cell.row, cell.column, cell.text.as_str())).collect();
    assert_eq!(cells, [(1, 1, "A"), (1, 2, "B"), (2, 1, "1"), (2, 2, "2")]);
    assert!(document.text.ends_with("After\n"), "{:?}", document.text);
}

#[test]
fn groups_without_end_are_survived() {
    assert_eq!(read_rtf(&(r"{\rtf1 ".to_owned() + &"{".repeat(100_000) + "deep")).text, "deep\n");
}
