-- KEYS: log, its anchor. ARGV: most at once, longest log or '', and for how many ms an entry is kept or ''.
-- The last link that goes is remembered in the same step: the rest of the chain begins from it.
local length = redis.call('XLEN', KEYS[1])
local count, last = tonumber(ARGV[1]), '+'
if ARGV[2] ~= '' then
  count = math.min(count, length - tonumber(ARGV[2]))
end
if ARGV[3] ~= '' then
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  last = string.format('%.0f', now - ARGV[3] - 1)
end
if count <= 0 then
  return 0
end
local gone = redis.call('XRANGE', KEYS[1], '-', last, 'COUNT', count)
local anchor
for _, row in ipairs(gone) do
  local link = {}
  for at = 1, #row[2], 2 do
    link[row[2][at]] = row[2][at + 1]
  end
  if link['number'] then
    anchor = link['number'] .. ':' .. link['hash']
  end
end
if #gone > 0 then
  redis.call('XTRIM', KEYS[1], 'MAXLEN', length - #gone)
end
if anchor then
  redis.call('SET', KEYS[2], anchor)
end
return #gone
