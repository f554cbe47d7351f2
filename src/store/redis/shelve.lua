-- KEYS: slots by expiry, values by slot, log, its head. ARGV: entry or '', its digest, slot, value, life in ms.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, slot in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))) do
  redis.call('ZREM', KEYS[1], slot)
  redis.call('HDEL', KEYS[2], slot)
end
if ARGV[1] ~= '' and redis.call('HGET', KEYS[2], ARGV[3]) ~= ARGV[4] then
  append(KEYS[3], KEYS[4], ARGV[1], ARGV[2])
end
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[5]), ARGV[3])
redis.call('HSET', KEYS[2], ARGV[3], ARGV[4])
-- The shelf lives as long as the slot that lives longest.
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2]
redis.call('PEXPIREAT', KEYS[1], last)
redis.call('PEXPIREAT', KEYS[2], last)
return 1
