-- KEYS: delivery, log. ARGV: mark of this attempt, life in ms, longest log, entry or nothing.
-- The mark makes the script repeatable: whoever lost the answer asks again and hears the same.
local known = redis.call('GET', KEYS[1])
if known then
  return known == ARGV[1] and 1 or 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
if ARGV[4] then
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[3], '*', 'entry', ARGV[4])
end
return 1
