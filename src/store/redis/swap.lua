-- KEYS: record. ARGV: what was seen there and what is wanted there, '' for nothing, and its life in ms, or nothing for
-- one that stays.
-- Answers nothing where it is as wanted now, and else what is there, '' for nothing.
local known = redis.call('GET', KEYS[1]) or ''
if known ~= ARGV[1] and known ~= ARGV[2] then
  return known
end
if ARGV[2] == '' then
  redis.call('DEL', KEYS[1])
elseif ARGV[3] then
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
else
  redis.call('SET', KEYS[1], ARGV[2])
end
return false
