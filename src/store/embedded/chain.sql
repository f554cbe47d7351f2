-- Entries from before have no place in the chain. The head is the newest entry's; 0 stands before the first.
ALTER TABLE log ADD COLUMN number INTEGER;
ALTER TABLE log ADD COLUMN hash TEXT;
CREATE TABLE head (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  number INTEGER NOT NULL,
  hash TEXT NOT NULL
);
INSERT INTO head (only, number, hash) VALUES (1, 0, '');
