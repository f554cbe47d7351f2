-- KEYS: record or job. ARGV: what was seen there, what is wanted there, and for a job the name of its field.
local known
if ARGV[3] then
  known = redis.call('HGET', KEYS[1], ARGV[3])
else
  known = redis.call('GET', KEYS[1])
end
if known ~= ARGV[1] then
  return known == ARGV[2] and 1 or 0
end
if ARGV[3] then
  redis.call('HSET', KEYS[1], ARGV[3], ARGV[2])
else
  redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
end
return 1
