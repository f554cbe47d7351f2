-- KEYS: job, due times. ARGV: id, body, and in how many ms it is due.
plan(KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3])
return 1
