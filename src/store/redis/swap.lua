-- KEYS: record, log, its head, and due times and a job where one is planned with it. ARGV: entry or '', its digest, what was
-- seen there and what is wanted there, '' for nothing, its life in ms, '' for one that stays, and for a job: id, body, and in
-- how many ms it is due.
-- Answers nothing where it is as wanted now, and else what is there, '' for nothing.
local known = redis.call('GET', KEYS[1]) or ''
if known ~= ARGV[3] and known ~= ARGV[4] then
  return known
end
if ARGV[1] ~= '' and known ~= ARGV[4] then
  append(KEYS[2], KEYS[3], ARGV[1], ARGV[2])
end
if ARGV[4] == '' then
  redis.call('DEL', KEYS[1])
elseif ARGV[5] == '' then
  redis.call('SET', KEYS[1], ARGV[4])
else
  redis.call('SET', KEYS[1], ARGV[4], 'PX', ARGV[5])
end
if KEYS[5] then
  plan(KEYS[5], KEYS[4], ARGV[6], ARGV[7], ARGV[8])
end
return false
