CREATE TABLE record (
  key TEXT PRIMARY KEY,
  value BLOB NOT NULL,
  ends_ms INTEGER
) WITHOUT ROWID;
CREATE INDEX record_ends ON record (ends_ms) WHERE ends_ms IS NOT NULL;

CREATE TABLE member (
  member TEXT PRIMARY KEY,
  party TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX member_party ON member (party);

CREATE TABLE shelf (
  shelf TEXT NOT NULL,
  slot TEXT NOT NULL,
  value BLOB NOT NULL,
  ends_ms INTEGER NOT NULL,
  PRIMARY KEY (shelf, slot)
) WITHOUT ROWID;
CREATE INDEX shelf_ends ON shelf (ends_ms);

CREATE TABLE log (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  at_ms INTEGER NOT NULL,
  entry BLOB NOT NULL
);
CREATE INDEX log_at ON log (at_ms);
