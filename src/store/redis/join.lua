-- KEYS: member. ARGV: namespace with its colon, the member's key, the group's key or nothing to leave only.
-- The group that is left is known only here; it shares the member's hash tag.
local former = redis.call('GET', KEYS[1])
if ARGV[3] then
  redis.call('SET', KEYS[1], ARGV[3])
  redis.call('SADD', ARGV[1] .. ARGV[3], ARGV[2])
else
  redis.call('DEL', KEYS[1])
end
if not former or former == ARGV[3] then
  return false
end
redis.call('SREM', ARGV[1] .. former, ARGV[2])
return { former, redis.call('SCARD', ARGV[1] .. former) }
