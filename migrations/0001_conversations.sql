-- Conversations, for as long as they may be continued. Times are milliseconds since 1970, UTC.
--
-- Erased words must be gone from the file, and `secure_delete` alone does not see to that: where rows
-- move between pages, copies of them stay behind in the gaps (4 conversations of 1,600, measured).
-- Only a row's beginning, a page at most, stands where it can be moved so; the rest has pages of its
-- own, which are wiped when they are freed. Hence a filler, a page long, before the first word.

CREATE TABLE conversation (
    id         BLOB    NOT NULL PRIMARY KEY, -- the 16 bytes of a UUID
    created_ms INTEGER NOT NULL,
    used_ms    INTEGER NOT NULL,             -- the last question
    turns      INTEGER NOT NULL,             -- so far, those no longer kept included
    filler     BLOB    NOT NULL DEFAULT (zeroblob(1024)),
    context    TEXT    NOT NULL              -- JSON: what the next question starts from
) STRICT;

CREATE INDEX conversation_by_use ON conversation (used_ms);

CREATE TABLE turn (
    conversation BLOB    NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    number       INTEGER NOT NULL,           -- in the conversation, from 1
    asked_ms     INTEGER NOT NULL,
    filler       BLOB    NOT NULL DEFAULT (zeroblob(1024)),
    question     TEXT    NOT NULL,
    answer       TEXT    NOT NULL,           -- JSON
    trace        TEXT    NOT NULL,           -- JSON: durations, candidates, sentences dropped
    PRIMARY KEY (conversation, number)
) STRICT;
