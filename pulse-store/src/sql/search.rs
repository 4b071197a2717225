//! Finding executions by a text in title or error.
//!
//! A million executions have few different texts, which are kept apart. A text that is in some of those is looked up by
//! each, in an index; one that is in many is in many executions too, and the newest of them are soon found by looking
//! through the newest executions.

use super::entity::execution::{self, Column};
use super::entity::text;
use super::executions::{by_state, select, with_states};
use super::{SqlStore, limit};
use crate::text::fold;
use crate::{ExecutionFilter, ExecutionRecord, Result};
use sea_orm::prelude::Uuid;
use sea_orm::sea_query::{Expr, ExprTrait, LikeExpr, Order, Query};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect};

/// Up to how many texts are looked up by each: about 10 ms.
const SOME: usize = 1024;

/// How many texts, or ids, are looked up in one statement.
const AT_ONCE: usize = 64;

/// The longest text that is searched for. SQLite has no longer patterns.
const LONGEST: usize = 16 * 1024;

impl SqlStore {
    /// Lists, newest first, what meets the conditions and the filter's states and has the text.
    pub(super) async fn search(
        &self,
        text: &str,
        conditions: Condition,
        filter: &ExecutionFilter,
        max: usize,
    ) -> Result<Vec<ExecutionRecord>> {
        if text.len() > LONGEST {
            return Ok(Vec::new());
        }
        let keys: Vec<i64> = text::Entity::find()
            .select_only()
            .column(text::Column::Key)
            .filter(Expr::col(text::Column::Text).like(contains(text)))
            .limit(limit(SOME + 1))
            .into_tuple()
            .all(&self.reads)
            .await
            .map_err(|error| self.unreadable(&error))?;
        if keys.len() > SOME {
            return self.list(by_state(&conditions.add(has(text)), filter), Order::Desc, max).await;
        }
        let conditions = with_states(conditions, filter);
        let ids = self.newest_of(&keys, &conditions, max).await.map_err(|error| self.unreadable(&error))?;
        let mut found = Vec::with_capacity(ids.len());
        for ids in ids.chunks(AT_ONCE) {
            found
                .extend(self.list(vec![Condition::all().add(Column::Id.is_in(ids.to_vec()))], Order::Desc, max).await?);
        }
        Ok(found)
    }

    /// The newest ids with any of these texts, from the index alone where there are no other conditions.
    async fn newest_of(&self, keys: &[i64], conditions: &Condition, max: usize) -> Result<Vec<Uuid>, DbErr> {
        let mut newest: Vec<Uuid> = Vec::new();
        for keys in keys.chunks(AT_ONCE) {
            let parts = keys.iter().map(|key| conditions.clone().add(Column::TextKey.eq(*key))).collect();
            for row in self.reads.query_all(&select(&[Column::Id], parts, Order::Desc, max)).await? {
                newest.push(row.try_get_by_index(0)?);
            }
            newest.sort_unstable_by(|a, b| b.cmp(a));
            newest.truncate(max);
        }
        Ok(newest)
    }
}

/// The condition that an execution's text contains another.
fn has(text: &str) -> Expr {
    let its = Expr::col((text::Entity, text::Column::Key)).equals((execution::Entity, Column::TextKey));
    let query = Query::select()
        .expr(Expr::val(1))
        .from(text::Entity)
        .and_where(its)
        .and_where(Expr::col((text::Entity, text::Column::Text)).like(contains(text)))
        .take();
    Expr::exists(query)
}

/// The pattern for a text that is contained, ignoring case, in what has been folded.
pub(super) fn contains(text: &str) -> LikeExpr {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in fold(text).chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    LikeExpr::new(pattern).escape('!')
}
