-- KEYS: due times. ARGV: what stands before an id in a job's key, owner, lease in ms.
-- The job's key is known only here; it shares the hash tag of the due times.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function longest_due()
  return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now), 'LIMIT', 0, 1)[1]
end
local id = longest_due()
while id do
  local job = ARGV[1] .. id
  local body = redis.call('HGET', job, 'body')
  if body then
    local attempt = redis.call('HINCRBY', job, 'attempt', 1)
    redis.call('HSET', job, 'owner', ARGV[2])
    redis.call('HDEL', job, 'mark')
    redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[3]), id)
    return { id, body, attempt }
  end
  -- Somebody deleted the job by hand, and only the job.
  redis.call('ZREM', KEYS[1], id)
  id = longest_due()
end
return false
