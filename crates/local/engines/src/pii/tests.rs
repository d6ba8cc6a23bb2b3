//! Tables of texts with what must be found in them, and of texts that only look as if.

use super::*;

/// The finds as `TYPE:text`, cut out by character offsets.
fn found(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let cut = |span: Span| chars[span.begin..span.end].iter().collect::<String>();
    detect(text).items.iter().map(|item| format!("{}:{}", item.kind.as_str(), cut(item.span))).collect()
}

fn check(cases: &[(&str, &[&str])]) {
    for (text, expected) in cases {
        assert_eq!(&found(text), expected, "in `{text}`");
    }
}

#[test]
fn contact_data() {
    check(&[
        ("Mail me at jo.doe+x@mail.example.co.uk.", &["EMAIL:jo.doe+x@mail.example.co.uk"]),
        ("<a@b.org>, 'c@d.org'", &["EMAIL:a@b.org", "EMAIL:c@d.org"]),
        ("🦀 é a@b.org", &["EMAIL:a@b.org"]),
        (
            "See https://example.org/a_(b)?q=1, and (http://x.org/y).",
            &["URL:https://example.org/a_(b)?q=1", "URL:http://x.org/y"],
        ),
        ("www.example.com/shop is open", &["URL:www.example.com/shop"]),
        ("https://user@example.org/x", &["URL:https://user@example.org/x"]),
        ("Call +49 30 1234567 or +1 (415) 555-2671.", &["PHONE:+49 30 1234567", "PHONE:+1 (415) 555-2671"]),
        (
            "(415) 555-2671 / 415-555-2671 / 415.555.2671",
            &["PHONE:(415) 555-2671", "PHONE:415-555-2671", "PHONE:415.555.2671"],
        ),
        ("Tel.: 030 / 123 45 67, Fax 030-1234568", &["PHONE:030 / 123 45 67", "PHONE:030-1234568"]),
        (
            "from 192.168.0.1:8080 and 2001:db8::ff00:42:8329",
            &["IP_ADDRESS:192.168.0.1", "IP_ADDRESS:2001:db8::ff00:42:8329"],
        ),
        ("eth0 00:1A:2b:3c:4D:5e up", &["MAC_ADDRESS:00:1A:2b:3c:4D:5e"]),
    ]);
}

#[test]
fn what_only_looks_like_contact_data() {
    check(&[
        ("version 1.2.3.4 and v10.0.0.1 and 1.2.3.4.5 and 300.1.1.1", &[]),
        ("std::fmt::Display, a::b, 12:30:45, dead::beef", &[]),
        ("ISBN 978-3-16-148410-0, ISBN 0-306-40615-2", &[]),
        ("order 415-555-2671, invoice no. 415-555-2671", &[]),
        ("$415-555 and 1,415,555,267 and 415 555", &[]),
        ("{a,b}@c.org, a@b, @handle, foo@, a@@b.org, user@localhost", &[]),
        ("sha 00:1A:2b:3c:4D:5e:6f:70", &[]),
        ("1234567890 1234567", &[]),
        ("http:// www. https://?", &[]),
    ]);
}

#[test]
fn money() {
    check(&[
        (
            "card 4111 1111 1111 1111 exp 09/27 cvv 123",
            &["CREDIT_DEBIT_NUMBER:4111 1111 1111 1111", "CREDIT_DEBIT_EXPIRY:09/27", "CREDIT_DEBIT_CVV:123"],
        ),
        (
            "378282246310005,5555555555554444",
            &["CREDIT_DEBIT_NUMBER:378282246310005", "CREDIT_DEBIT_NUMBER:5555555555554444"],
        ),
        ("DE89 3704 0044 0532 0130 00 COBADEFFXXX", &["INTERNATIONAL_BANK_ACCOUNT_NUMBER:DE89 3704 0044 0532 0130 00"]),
        ("IBAN GB82WEST12345698765432.", &["INTERNATIONAL_BANK_ACCOUNT_NUMBER:GB82WEST12345698765432"]),
        (
            "routing number: 021000021, account number: 1234567890",
            &["BANK_ROUTING:021000021", "BANK_ACCOUNT_NUMBER:1234567890"],
        ),
        ("SWIFT/BIC: DEUTDEFF500", &["SWIFT_CODE:DEUTDEFF500"]),
    ]);
}

#[test]
fn what_only_looks_like_money() {
    check(&[
        ("4111 1111 1111 1112", &[]),
        ("order number 4111111111111111", &[]),
        ("4444444444444444 0000000000000000", &[]),
        ("978-3-16-148410-0 9783161484100", &[]),
        ("41111111111111111111111", &[]),
        ("DE89 3704 0044 0532 0130 01, DE89370400440532013000X", &[]),
        ("routing number 021000022", &[]),
        ("the account is due in 30 days, 1234567 people", &[]),
    ]);
}

#[test]
fn national_numbers() {
    check(&[
        ("SSN 123-45-6789, or ssn: 123456789", &["SSN:123-45-6789", "SSN:123456789"]),
        ("ITIN 912-70-1234", &["US_INDIVIDUAL_TAX_IDENTIFICATION_NUMBER:912-70-1234"]),
        ("NI number AB 12 34 56 C", &["UK_NATIONAL_INSURANCE_NUMBER:AB 12 34 56 C"]),
        ("NHS number: 943 476 5919", &["UK_NATIONAL_HEALTH_SERVICE_NUMBER:943 476 5919"]),
        ("UTR: 12345 67890", &["UK_UNIQUE_TAXPAYER_REFERENCE_NUMBER:12345 67890"]),
        ("SIN: 130 692 544", &["CA_SOCIAL_INSURANCE_NUMBER:130 692 544"]),
        ("Aadhaar No: 2341 2341 2346", &["IN_AADHAAR:2341 2341 2346"]),
        ("PAN: ABCPE1234F", &["IN_PERMANENT_ACCOUNT_NUMBER:ABCPE1234F"]),
        ("Passport No. C01X00T47", &["PASSPORT_NUMBER:C01X00T47"]),
        ("driver's license number: D123-4567-8901", &["DRIVER_ID:D123-4567-8901"]),
        ("VIN 1M8GDM9AXKP042788", &["VEHICLE_IDENTIFICATION_NUMBER:1M8GDM9AXKP042788"]),
        ("a 34-year-old, aged 52", &["AGE:34-year-old", "AGE:52"]),
    ]);
}

#[test]
fn what_only_looks_national() {
    check(&[
        ("000-12-3456 666-12-3456 123-00-4567 123-45-0000 900-12-3456", &[]),
        ("BG123456A, AB123456E, XAB123456C", &[]),
        ("943 476 5919, NHS number 943 476 5918", &[]),
        ("130 692 544; SIN 130 692 545; a sin 130 692 544", &[]),
        ("2341 2341 2346, Aadhaar 2341 2341 2345", &[]),
        ("the passport control, passport number required", &[]),
        ("1M8GDM9A0KP042788 11111111111111111", &[]),
        ("the building is 200 years old; a 5 year plan", &[]),
    ]);
}

#[test]
fn secrets() {
    check(&[
        ("aws_access_key_id = AKIAIOSFODNN7EXAMPLE", &["AWS_ACCESS_KEY:AKIAIOSFODNN7EXAMPLE"]),
        (
            "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            &["AWS_SECRET_KEY:wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"],
        ),
        ("username: jdoe42\npassword: hunter2!", &["USERNAME:jdoe42", "PASSWORD:hunter2!"]),
        ("Your PIN is 4821.", &["PIN:4821"]),
        ("password: required, Password: ********, the password is wrong", &[]),
        ("sha1 2fd4e1c67a2d28fced849ee1bb76e7391b93eb12", &[]),
        ("pinned 4821 pin the note", &[]),
    ]);
}

#[test]
fn names_dates_and_places() {
    check(&[
        ("Dr. Ann Miller saw Mr Lee.", &["NAME:Ann Miller", "NAME:Lee"]),
        ("From: \"Ann Miller\" <ann@example.org>", &["NAME:Ann Miller", "EMAIL:ann@example.org"]),
        ("Dear Ms. O'Neil,\nthank you.\n\nKind regards,\nTom Baker\n", &["NAME:O'Neil", "NAME:Tom Baker"]),
        ("Dear Sir or Madam, Dear Customer, Dear Team,", &[]),
        ("born 26 June 1968", &["DATE_TIME:26 June 1968"]),
        ("in 1968", &[]),
        (
            "He lives at 12 North Main Street, Springfield, IL 62704.",
            &["ADDRESS:12 North Main Street, Springfield, IL 62704"],
        ),
        ("Wir wohnen in der Lindenstraße 12a, 10969 Berlin.", &["ADDRESS:Lindenstraße 12a, 10969 Berlin"]),
        ("Calle de Alcalá 45, 28014 Madrid", &["ADDRESS:Calle de Alcalá 45, 28014 Madrid"]),
        ("P.O. Box 1234", &["ADDRESS:P.O. Box 1234"]),
        ("We drove 12 miles on the Way home.", &[]),
    ]);
}

#[test]
fn every_type_has_a_name_of_its_own() {
    let names: std::collections::BTreeSet<&str> = PiiType::ALL.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(names.len(), PiiType::ALL.len());
}

/// Hostile texts of 10 and 100 KB; each must end without a panic, and what comes back fits the text.
pub(crate) fn hostile() -> Vec<String> {
    let pieces = [
        "a",
        "A",
        "1",
        "1 ",
        "🦀",
        "א",
        "א ",
        "\u{202e}ab",
        "@",
        "a@",
        "a@b.",
        "http://",
        "www.a",
        ":",
        "1:",
        "::1 ",
        "4111 ",
        "DE89 ",
        "+1 ",
        "Mr ",
        "Mr A",
        "Aa ",
        "Aa Inc, ",
        "Dear A, ",
        "password=",
        "12/12/",
        "1.1.",
        "-",
        "\n",
        "From: ",
        "From: A B\n",
        "\u{0}",
        "9-",
        "(",
        "Tel: 1",
        "AKIA",
        "\u{301}",
        "University of the ",
        "1,111",
    ];
    let long = ["a", "1", "🦀", "א ", "1 "].map(|piece| piece.repeat(100_000 / piece.len()));
    let short = pieces.iter().map(|piece| piece.repeat(10_000 / piece.len()));
    long.into_iter().chain(short).collect()
}

#[test]
fn hostile_texts_end() {
    for text in hostile() {
        let length = text.chars().count();
        assert!(detect(&text).items.iter().all(|item| item.span.begin < item.span.end && item.span.end <= length));
    }
}
