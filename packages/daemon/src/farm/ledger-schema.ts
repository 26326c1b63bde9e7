/** "sgsF" in ASCII: tells the ledger from other databases. */
export const APPLICATION_ID = 0x73677346
/** Raised with every change of the tables; a later one is refused. */
export const SCHEMA_VERSION = 1

/**
 * `ready` of a text: lines that can be farmed now; while it is still coming in, the last line waits for its successor. `turn`: place in the queue.
 * `pending`: how far texts will have come once a layer is the own head.
 */
export const SCHEMA: string = `
  CREATE TABLE text (
    id INTEGER PRIMARY KEY, turn INTEGER NOT NULL UNIQUE, name TEXT NOT NULL, shared INTEGER NOT NULL, whole INTEGER NOT NULL,
    bytes INTEGER NOT NULL, lines INTEGER NOT NULL, ready INTEGER NOT NULL, next INTEGER NOT NULL, graded INTEGER NOT NULL, unknown INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX text_by_name ON text (name);
  CREATE INDEX text_waiting ON text (turn) WHERE next < ready;
  CREATE TABLE segment (
    text INTEGER NOT NULL, place INTEGER NOT NULL, digest TEXT NOT NULL, block TEXT NOT NULL,
    bytes INTEGER NOT NULL, first INTEGER NOT NULL, lines INTEGER NOT NULL, ended INTEGER NOT NULL, PRIMARY KEY (text, place)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX segment_by_line ON segment (text, first);
  CREATE INDEX segment_by_digest ON segment (digest);
  CREATE TABLE pending (layer TEXT NOT NULL, text INTEGER NOT NULL, next INTEGER NOT NULL, graded INTEGER NOT NULL, unknown INTEGER NOT NULL) STRICT;
  CREATE TABLE file (path TEXT PRIMARY KEY, stamp TEXT NOT NULL, text INTEGER NOT NULL, error TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE value (name TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT, WITHOUT ROWID;
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA_VERSION};
`
