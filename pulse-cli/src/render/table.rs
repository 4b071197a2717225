//! Aligned columns for listings.

use super::style::Style;
use pulse_core::text::one_line;

/// A table: a heading per column, then rows.
#[derive(Clone, Debug)]
pub struct Table {
    headings: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    pub fn new(headings: &[&'static str]) -> Self {
        Self { headings: headings.to_vec(), rows: Vec::new() }
    }

    /// Adds a row with one cell per column. Cells are made harmless and stay on their line.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        debug_assert_eq!(N, self.headings.len(), "a cell per column");
        self.rows.push(cells.iter().map(|cell| one_line(cell)).collect());
    }

    /// The lines: columns as wide as their widest cell, two spaces apart, none at the end of a line.
    pub fn lines(&self, style: Style) -> Vec<String> {
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
            cells.chain([self.headings[column].chars().count()]).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.headings.len()).map(width).collect();
        let line = |cells: &mut dyn Iterator<Item = &str>| {
            let padded: Vec<String> = cells.zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
            padded.join("  ").trim_end().to_owned()
        };
        let heading = style.bold(&line(&mut self.headings.iter().copied()));
        std::iter::once(heading).chain(self.rows.iter().map(|row| line(&mut row.iter().map(String::as_str)))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut table = Table::new(&["NAME", "STATUS"]);
        table.row(["ä".into(), "online".into()]);
        table.row(["longer-name".into(), "off\nline".into()]);
        assert_eq!(
            table.lines(Style::plain()),
            ["NAME         STATUS", "ä            online", "longer-name  off\\nline"]
        );
    }
}
