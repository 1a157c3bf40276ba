//! A function over data: rows are made of columns, each as it lies.

use super::frozen::Function;
use super::rows::Rows;
use crate::error::{Error, check_length};
use crate::execute::lanes::column::Column;
use crate::execute::lanes::columns::Columns;

impl Function {
    /// This function over rows of data: a slice for each column, in the order of
    /// the inputs that are columns, with a value in each row.
    ///
    /// # Errors
    /// If there are not as many slices as columns, or not all of one length.
    pub fn rows<'d>(&self, columns: &[&'d [f64]]) -> Result<Rows<'_, 'd>, Error> {
        let columns = columns.iter().map(|&column| column.into()).collect();
        self.over(columns)
    }

    /// The same for data that lies row by row: each row is `width` numbers long
    /// and begins with the columns in their order.
    ///
    /// # Errors
    /// If `width` is less than there are columns, or the length of the data is no
    /// multiple of it.
    pub fn rows_of<'d>(&self, data: &'d [f64], width: usize) -> Result<Rows<'_, 'd>, Error> {
        let columns = self.columns();
        self.expect_columns(width.min(columns))?;
        check_length("numbers in the last row", data.len() % width, 0)?;
        let column = |c: usize| Column::strided(data.get(c..).unwrap_or(&[]), width);
        self.over((0..columns).map(column).collect())
    }

    /// The same for columns each of which lies in its own way.
    ///
    /// ```
    /// use chainrule::{Column, Function};
    ///
    /// let f = Function::record(|r| {
    ///     let w = r.inputs(&[0.0, 0.0]);
    ///     let (x1, x2, y) = (r.column("x1", 0.0), r.column("x2", 0.0), r.column("y", 0.0));
    ///     (w[0] * x1 + w[1] * x2 - y).square()
    /// });
    /// let x = [1.0, 2.0, 3.0, 4.0]; // two rows of two
    /// let y = [3.0, 7.0];
    /// let [x1, x2] = [0, 1].map(|c| Column::strided(&x[c..], 2));
    /// let rows = f.rows_from(&[x1, x2, y[..].into()])?;
    /// assert_eq!(rows.value(&[1.0, 1.0])?, 0.0);
    /// # Ok::<(), chainrule::Error>(())
    /// ```
    ///
    /// # Errors
    /// If there are not as many as the function has columns, if not all have equally
    /// many rows, or if a stride is 0.
    pub fn rows_from<'d>(&self, columns: &[Column<'d>]) -> Result<Rows<'_, 'd>, Error> {
        self.over(columns.to_vec())
    }

    fn over<'d>(&self, columns: Vec<Column<'d>>) -> Result<Rows<'_, 'd>, Error> {
        self.expect_columns(columns.len())?;
        for column in &columns {
            check_length("numbers from row to row", column.stride.min(1), 1)?;
            check_length("rows in a column", column.rows(), columns[0].rows())?;
        }
        Ok(Rows::new(self, Columns::new(columns)))
    }

    fn expect_columns(&self, found: usize) -> Result<(), Error> {
        if self.columns() == 0 {
            return Err(Error::NoColumns);
        }
        check_length("columns", found, self.columns())
    }
}
