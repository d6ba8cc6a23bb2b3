//! RTF as tokens: groups, control words, control symbols, bytes of text.

/// One token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Open,
    Close,
    /// `\word` or `\word12`.
    Word(&'a str, Option<i32>),
    /// `\~`, `\*` and their like.
    Symbol(u8),
    /// A byte of text, as it stands or as `\'e4`.
    Byte(u8),
}

/// Cuts bytes into tokens; never fails, for what is no control is text.
pub(super) struct Tokens<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn control(&mut self) -> Option<Token<'a>> {
        let first = self.peek()?;
        if first.is_ascii_alphabetic() {
            return Some(self.word());
        }
        self.at += 1;
        Some(match first {
            b'\'' => self.hex(),
            b'\\' | b'{' | b'}' => Token::Byte(first),
            symbol => Token::Symbol(symbol),
        })
    }

    fn hex(&mut self) -> Token<'a> {
        let digits = self.bytes.get(self.at..self.at + 2).and_then(|two| std::str::from_utf8(two).ok());
        match digits.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) => {
                self.at += 2;
                Token::Byte(byte)
            }
            None => Token::Symbol(b'\''),
        }
    }

    fn word(&mut self) -> Token<'a> {
        let word = self.run(u8::is_ascii_alphabetic);
        let negative = self.peek() == Some(b'-');
        let number_start = self.at;
        self.at += usize::from(negative);
        let digits = self.run(u8::is_ascii_digit);
        let number = digits.parse::<i32>().ok().map(|number| if negative { -number } else { number });
        if digits.is_empty() {
            self.at = number_start;
        }
        if self.peek() == Some(b' ') {
            self.at += 1;
        }
        if word == "bin" {
            let length = usize::try_from(number.unwrap_or(0)).unwrap_or(0);
            self.at = self.at.saturating_add(length).min(self.bytes.len());
        }
        Token::Word(word, number)
    }

    fn run(&mut self, fits: impl Fn(&u8) -> bool) -> &'a str {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().take(32).take_while(|byte| fits(byte)).count();
        self.at += length;
        std::str::from_utf8(&rest[..length]).unwrap_or("")
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let byte = self.peek()?;
            self.at += 1;
            match byte {
                b'{' => return Some(Token::Open),
                b'}' => return Some(Token::Close),
                b'\\' => return self.control(),
                b'\r' | b'\n' | 0 => {}
                byte => return Some(Token::Byte(byte)),
            }
        }
    }
}
