//! Colours, or none: every use goes through here, so that "no colour" is one decision.

/// Paints text, or leaves it as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    coloured: bool,
}

impl Style {
    /// With colours or without.
    pub const fn new(coloured: bool) -> Self {
        Self { coloured }
    }

    /// Without.
    pub const fn plain() -> Self {
        Self::new(false)
    }

    /// Whether there are colours.
    pub const fn coloured(self) -> bool {
        self.coloured
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.coloured { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// For what went wrong.
    pub fn red(self, text: &str) -> String {
        self.paint("31", text)
    }

    /// For what went well.
    pub fn green(self, text: &str) -> String {
        self.paint("32", text)
    }

    /// For what waits or is tried again.
    pub fn yellow(self, text: &str) -> String {
        self.paint("33", text)
    }

    /// For names and hints.
    pub fn cyan(self, text: &str) -> String {
        self.paint("36", text)
    }

    /// For headings.
    pub fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// For what is beside the point.
    pub fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }
}
