-- KEYS: job, due times, log, its head. ARGV: id, owner, mark of this change, body, entry or '', its digest, and in how many ms
-- the job is due again, or nothing to keep the lease.
-- The mark makes the script repeatable as long as nobody else has had the job since.
local known = redis.call('HMGET', KEYS[1], 'owner', 'mark')
local owner, is_done = known[1], known[2] == ARGV[3]
if owner ~= ARGV[2] then
  return is_done and not owner and 1 or 0
end
if is_done then
  return 1
end
redis.call('HSET', KEYS[1], 'body', ARGV[4], 'mark', ARGV[3])
if ARGV[5] ~= '' then
  append(KEYS[3], KEYS[4], ARGV[5], ARGV[6])
end
if ARGV[7] then
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call('HDEL', KEYS[1], 'owner')
  redis.call('ZADD', KEYS[2], string.format('%.0f', now + ARGV[7]), ARGV[1])
end
return 1
