//! Binary operators: how they are written, how tightly they bind, and the function that does them.

/// Operators that evaluate both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Binary {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    In,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
}

impl Binary {
    /// The function registered in the engine.
    pub fn native(self) -> &'static str {
        match self {
            Self::Equal => "equal",
            Self::NotEqual => "not_equal",
            Self::Less => "less",
            Self::LessEqual => "less_equal",
            Self::Greater => "greater",
            Self::GreaterEqual => "greater_equal",
            Self::In => "is_in",
            Self::Add => "add",
            Self::Subtract => "subtract",
            Self::Multiply => "multiply",
            Self::Divide => "divide",
            Self::Remainder => "remainder",
            Self::Power => "power",
        }
    }

    /// How it is written.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::In => "in",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
            Self::Power => "**",
        }
    }

    /// It gives true or false.
    pub fn is_test(self) -> bool {
        self.strength() <= Infix::Binary(Self::In).strength()
    }

    fn strength(self) -> u8 {
        match self {
            Self::Equal | Self::NotEqual => 4,
            Self::Less | Self::LessEqual | Self::Greater | Self::GreaterEqual | Self::In => 5,
            Self::Add | Self::Subtract => 6,
            Self::Multiply | Self::Divide | Self::Remainder => 7,
            Self::Power => 8,
        }
    }
}

/// What can stand between two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Infix {
    Default,
    Any,
    All,
    NotIn,
    Binary(Binary),
}

impl Infix {
    /// How tightly it binds: more is tighter. The order of JavaScript, which is that of Rhai for what both have, except that `in`
    /// and the orderings bind tighter than `==` in both.
    pub fn strength(self) -> u8 {
        match self {
            Self::Default => 1,
            Self::Any => 2,
            Self::All => 3,
            Self::NotIn => 5,
            Self::Binary(op) => op.strength(),
        }
    }

    /// Reads an operator token.
    pub fn of(text: &str) -> Option<Self> {
        Some(Self::Binary(match text {
            "??" => return Some(Self::Default),
            "||" => return Some(Self::Any),
            "&&" => return Some(Self::All),
            "==" | "===" => Binary::Equal,
            "!=" | "!==" => Binary::NotEqual,
            "<" => Binary::Less,
            "<=" => Binary::LessEqual,
            ">" => Binary::Greater,
            ">=" => Binary::GreaterEqual,
            "+" => Binary::Add,
            "-" => Binary::Subtract,
            "*" => Binary::Multiply,
            "/" => Binary::Divide,
            "%" => Binary::Remainder,
            "**" => Binary::Power,
            _ => return None,
        }))
    }
}
