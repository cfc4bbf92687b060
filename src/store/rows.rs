//! What is written and read: conversations and their turns, as rows.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection as _, Row as _};
use uuid::Uuid;

use super::Kept;
use crate::conversation::{Conversation, MAX_TURNS, Turn};
use crate::text::door::Question;

/// Writes turns in one transaction: all of them, or none.
pub(super) async fn write(connection: &mut SqliteConnection, turns: &[Kept]) -> sqlx::Result<()> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    for kept in turns {
        let id = kept.conversation.as_bytes().as_slice();
        let (number, at) = (kept.number as i64, kept.at.as_millisecond());
        // Two turns of one conversation may come in either order: the context is that of the later.
        sqlx::query(
            "INSERT INTO conversation (id, created_ms, used_ms, turns, context) VALUES (?1, ?2, ?2, ?3, ?4)
             ON CONFLICT (id) DO UPDATE SET used_ms = ?2, turns = ?3, context = ?4 WHERE turns < ?3",
        )
        .bind(id)
        .bind(at)
        .bind(number)
        .bind(json(&kept.context)?)
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "INSERT OR REPLACE INTO turn (conversation, number, asked_ms, question, answer, trace)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )
        .bind(id)
        .bind(number)
        .bind(at)
        .bind(kept.turn.question.as_str())
        .bind(json(&kept.turn.answer)?)
        .bind(json(&kept.trace)?)
        .execute(&mut *transaction)
        .await?;
        sqlx::query("DELETE FROM turn WHERE conversation = ?1 AND number <= ?2")
            .bind(id)
            .bind(number - MAX_TURNS as i64)
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await
}

/// Reads a conversation that was used since `oldest`, with its last turns.
pub(super) async fn recall(
    connection: &mut SqliteConnection,
    id: Uuid,
    oldest: Timestamp,
) -> sqlx::Result<Option<Conversation>> {
    let id = id.as_bytes().as_slice();
    let found =
        sqlx::query("SELECT turns, context FROM conversation WHERE id = ?1 AND used_ms > ?2")
            .bind(id)
            .bind(oldest.as_millisecond())
            .fetch_optional(&mut *connection)
            .await?;
    let Some(found) = found else { return Ok(None) };
    let turns = sqlx::query(
        "SELECT question, answer FROM turn WHERE conversation = ?1 ORDER BY number DESC LIMIT ?2",
    )
    .bind(id)
    .bind(MAX_TURNS as i64)
    .fetch_all(connection)
    .await?;
    let turn = |row: &sqlx::sqlite::SqliteRow| {
        let question = Question::parse(row.try_get("question")?).map_err(unreadable)?;
        let answer = read(row.try_get("answer")?)?;
        sqlx::Result::Ok(Arc::new(Turn { question, answer }))
    };
    Ok(Some(Conversation {
        context: read(found.try_get("context")?)?,
        turns: turns.iter().rev().map(turn).collect::<sqlx::Result<_>>()?,
        count: usize::try_from(found.try_get::<i64, _>("turns")?).map_err(unreadable)?,
    }))
}

/// Whether there is anything of a conversation.
pub(super) async fn holds(connection: &mut SqliteConnection, id: Uuid) -> sqlx::Result<bool> {
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM conversation WHERE id = ?1)")
        .bind(id.as_bytes().as_slice())
        .fetch_one(connection)
        .await
}

/// Erases conversations, in one transaction; how many there were.
pub(super) async fn erase(connection: &mut SqliteConnection, ids: &[Uuid]) -> sqlx::Result<u64> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let mut erased = 0;
    for id in ids {
        erased += sqlx::query("DELETE FROM conversation WHERE id = ?1")
            .bind(id.as_bytes().as_slice())
            .execute(&mut *transaction)
            .await?
            .rows_affected();
    }
    transaction.commit().await?;
    Ok(erased)
}

/// Erases the conversations that were not used for `ttl`; how many there were.
///
/// The clock may have been set back: what was used "later than now" counts as used now, and so lives
/// for `ttl` from now at most, instead of for ever.
pub(super) async fn expire(
    connection: &mut SqliteConnection,
    now: Timestamp,
    ttl: Duration,
) -> sqlx::Result<u64> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    sqlx::query("UPDATE conversation SET used_ms = ?1 WHERE used_ms > ?1")
        .bind(now.as_millisecond())
        .execute(&mut *transaction)
        .await?;
    let expired = sqlx::query("DELETE FROM conversation WHERE used_ms <= ?1")
        .bind(oldest(now, ttl).as_millisecond())
        .execute(&mut *transaction)
        .await?
        .rows_affected();
    transaction.commit().await?;
    Ok(expired)
}

/// Moves the log into the database and empties it: until then it holds pages as they were before an
/// erasure. False when another program is reading the database, and it must be done again.
pub(super) async fn empty_log(connection: &mut SqliteConnection) -> sqlx::Result<bool> {
    let row = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
        .fetch_one(connection)
        .await?;
    Ok(row.try_get::<i64, _>(0)? == 0)
}

/// When the oldest conversation that lives was last used.
pub(super) fn oldest(now: Timestamp, ttl: Duration) -> Timestamp {
    now.checked_sub(ttl).unwrap_or(Timestamp::MIN)
}

fn json(value: &impl serde::Serialize) -> sqlx::Result<String> {
    serde_json::to_string(value).map_err(unreadable)
}

fn read<T: serde::de::DeserializeOwned>(text: &str) -> sqlx::Result<T> {
    serde_json::from_str(text).map_err(unreadable)
}

/// The shape of a row is not the one this version writes. The cause may quote a person's words.
fn unreadable<E>(_cause: E) -> sqlx::Error {
    sqlx::Error::Protocol("a row has an unknown shape".to_owned())
}
