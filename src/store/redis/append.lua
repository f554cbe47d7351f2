-- KEYS: log, its head. ARGV: entry, its digest.
append(KEYS[1], KEYS[2], ARGV[1], ARGV[2])
return 1
