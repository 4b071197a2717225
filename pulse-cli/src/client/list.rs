//! Lists of the HTTP interface, read page by page.

use super::Client;
use crate::error::Error;
use pulse_core::api::Page;
use serde::de::DeserializeOwned;

/// The most the server gives at once.
const PAGE: usize = 200;

impl Client {
    /// Reads a list up to `limit` rows, or all of it; `next` of the answer is where it would go on.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn list<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, String)],
        limit: Option<usize>,
    ) -> Result<Page<T>, Error> {
        let mut all = Page { items: Vec::new(), next: None };
        loop {
            let left = limit.map_or(PAGE, |limit| limit - all.items.len()).min(PAGE);
            let page: Page<T> = self.page(path, query, left, all.next.as_deref()).await?;
            // A server that gives more than asked for must not make this endless or wrong.
            all.items.extend(page.items.into_iter().take(left));
            all.next = page.next;
            if all.next.is_none() || limit.is_some_and(|limit| all.items.len() >= limit) {
                return Ok(all);
            }
        }
    }

    /// Reads one page of a list.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn page<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, String)],
        limit: usize,
        cursor: Option<&str>,
    ) -> Result<Page<T>, Error> {
        let mut query = query.to_vec();
        query.push(("limit", limit.to_string()));
        query.extend(cursor.map(|cursor| ("cursor", cursor.to_owned())));
        self.get(path, &query).await
    }
}
