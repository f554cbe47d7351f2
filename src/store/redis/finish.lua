-- KEYS: job, due times. ARGV: id, owner.
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 1
end
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[2] then
  return 0
end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return 1
