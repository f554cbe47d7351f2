-- KEYS: due times. Returns how many jobs there are, how many are due, and for how many ms the first one has been.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local due = redis.call('ZCOUNT', KEYS[1], '-inf', string.format('%.0f', now))
local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]
return { redis.call('ZCARD', KEYS[1]), due, due > 0 and now - first or 0 }
