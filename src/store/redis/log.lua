-- Appends an entry to the log: its number and its hash follow from those of the one before, which the head holds.
local function append(log, head, entry, digest)
  local before = redis.call('HMGET', head, 'number', 'hash')
  local number = string.format('%.0f', (before[1] or 0) + 1)
  local hash = redis.sha1hex((before[2] or '') .. ':' .. number .. ':' .. digest)
  redis.call('XADD', log, '*', 'entry', entry, 'number', number, 'hash', hash)
  redis.call('HSET', head, 'number', number, 'hash', hash)
end
