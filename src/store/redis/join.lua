-- KEYS: member, log, its head. ARGV: entry or '', its digest, namespace with its colon, the member's key, the group's key or
-- nothing to leave only.
-- The group that is left is known only here; it shares the member's hash tag.
local former = redis.call('GET', KEYS[1])
if ARGV[1] ~= '' then
  append(KEYS[2], KEYS[3], ARGV[1], ARGV[2])
end
if ARGV[5] then
  redis.call('SET', KEYS[1], ARGV[5])
  redis.call('SADD', ARGV[3] .. ARGV[5], ARGV[4])
else
  redis.call('DEL', KEYS[1])
end
if not former or former == ARGV[5] then
  return false
end
redis.call('SREM', ARGV[3] .. former, ARGV[4])
return { former, redis.call('SCARD', ARGV[3] .. former) }
