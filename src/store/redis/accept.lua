-- KEYS: delivery, log, due times, and the job where one comes with it. ARGV: mark of this attempt, life in ms, longest
-- log, entry or '', and for a job: id, body, owner, lease in ms.
-- The mark makes the script repeatable: whoever lost the answer asks again and hears the same.
local known = redis.call('GET', KEYS[1])
if known then
  return known == ARGV[1] and 1 or 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
if ARGV[4] ~= '' then
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[3], '*', 'entry', ARGV[4])
end
if KEYS[4] and redis.call('EXISTS', KEYS[4]) == 0 then
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call('HSET', KEYS[4], 'body', ARGV[6], 'owner', ARGV[7], 'attempt', 1)
  redis.call('ZADD', KEYS[3], string.format('%.0f', now + ARGV[8]), ARGV[5])
end
return 1
