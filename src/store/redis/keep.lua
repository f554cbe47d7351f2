-- KEYS: job, due times. ARGV: id, owner, lease in ms.
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[2] then
  return 0
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[2], string.format('%.0f', now + ARGV[3]), ARGV[1])
return 1
