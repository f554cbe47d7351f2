-- KEYS: job, due times. ARGV: id, body, owner, lease in ms.
-- A job that is there is left, so a repetition neither brings back an earlier stage nor takes it from its holder.
if redis.call('EXISTS', KEYS[1]) == 0 then
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call('HSET', KEYS[1], 'body', ARGV[2], 'owner', ARGV[3], 'attempt', 1)
  redis.call('ZADD', KEYS[2], string.format('%.0f', now + ARGV[4]), ARGV[1])
end
return 1
