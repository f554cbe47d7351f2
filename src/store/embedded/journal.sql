-- Every row is open: a finished job is deleted. Without an owner, a job waits for its due time.
CREATE TABLE job (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  body BLOB NOT NULL,
  owner TEXT,
  attempt INTEGER NOT NULL,
  mark BLOB,
  due_ms INTEGER NOT NULL
);
CREATE INDEX job_due ON job (due_ms);
