-- KEYS: slots by expiry, values by slot.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local values = {}
for _, slot in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], string.format('(%.0f', now), '+inf')) do
  local value = redis.call('HGET', KEYS[2], slot)
  if value then
    values[#values + 1] = value
  end
end
return values
