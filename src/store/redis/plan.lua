-- KEYS: job, due times. ARGV: id, body, and in how many ms it is due.
-- One that somebody holds is left to them.
if redis.call('HEXISTS', KEYS[1], 'owner') == 1 then
  return 1
end
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('HSET', KEYS[1], 'body', ARGV[2], 'attempt', 0)
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[2], 'LT', string.format('%.0f', now + ARGV[3]), ARGV[1])
return 1
