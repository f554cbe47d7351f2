-- Writes a job that nobody holds, to be claimed in so many ms. One that is there is left as it is, but claimable no later
-- than that; one that somebody holds is left to them.
local function plan(job, due, id, body, ms)
  if redis.call('HEXISTS', job, 'owner') == 1 then
    return
  end
  if redis.call('EXISTS', job) == 0 then
    redis.call('HSET', job, 'body', body, 'attempt', 0)
  end
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call('ZADD', due, 'LT', string.format('%.0f', now + ms), id)
end
