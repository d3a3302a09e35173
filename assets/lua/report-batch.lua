--[==[
Writes one batch of the ledger and moves the position, in one step: all of it or, where the position is
not the expected one, nothing. Not for Redis Cluster: the keys of a round are derived from its fields.

KEYS[1]  the position of this ledger, server and reporter
KEYS[n]  hashes and lists that the operations name by n
ARGV[1]  the position expected, empty where there is none yet
ARGV[2]  the position after the batch
ARGV[3]  JSON: a list of operations [name, n of its key, [argument …]], in order
           add    field, amount            HINCRBYFLOAT
           push   value …                  RPUSH
           block  key of the solved block, unix s of the solve, field, value …
                  rotates the round KEYS[n] to that key and opens a new one

returns  {'moved', stored position}        nothing was written
         {'done', refusal …}               a refusal: what Redis said, operation, key, arguments
         error reply                       nothing was written, to be tried again

A command that Redis refuses because of what a key holds must not stop the others for ever: it is
returned as a refusal. Any other error before the first write ends the script.
--]==]
local stored = redis.call('GET', KEYS[1]) or ''
if stored ~= ARGV[1] then
  return { 'moved', stored }
end

redis.call('SET', KEYS[1], ARGV[2])

local refusals = { 'done' }
local wrote = false

-- Takes the position back: nothing else has been written yet.
local function undo()
  if stored == '' then
    redis.call('DEL', KEYS[1])
  else
    redis.call('SET', KEYS[1], stored)
  end
end

-- The reply of one write; or nil where it was refused, with the error if the script has to end.
local function try(about, ...)
  local reply = redis.pcall(...)
  if type(reply) ~= 'table' or not reply.err then
    wrote = true
    return reply
  end
  local text = reply.err
  local concerns_key = string.find(text, 'WRONGTYPE', 1, true)
    or string.find(text, 'not a float', 1, true)
    or string.find(text, 'not a valid float', 1, true)
    or string.find(text, 'NaN or Infinity', 1, true)
    or string.find(text, 'not an integer', 1, true)
  if not wrote and not concerns_key then
    undo()
    return nil, reply
  end
  refusals[#refusals + 1] = text .. ' ' .. about
  return nil
end

local function rotate(round, arguments)
  local solved, time = arguments[1], arguments[2]
  local about = 'block ' .. round .. ' ' .. table.concat(arguments, ' ')
  local ok, err = try(about, 'HSET', round, 'solve_time', time)
  if err then
    return err
  end
  local fields = redis.pcall('HKEYS', round)
  if not ok or fields.err then
    return nil
  end
  try(about, 'RENAME', round, solved)
  try(about, 'HSET', round, 'start_time', time)
  for _, field in ipairs(fields) do
    local chain = string.match(field, '^chain_(%d+)_shares$')
    if chain then
      local slice = 'chain_' .. chain .. '_slice'
      local index = try(about, 'INCR', slice .. '_index')
      if index then
        try(about, 'HSET', round, 'chain_' .. chain .. '_start_index', index)
        if redis.call('EXISTS', slice) == 1 then
          try(about, 'RENAMENX', slice, slice .. '_' .. index)
        end
        try(about, 'HSET', solved, 'chain_' .. chain .. '_solve_index', index)
      end
    end
  end
  for i = 3, #arguments, 2 do
    try(about, 'HSET', solved, arguments[i], arguments[i + 1])
  end
  return nil
end

for _, operation in ipairs(cjson.decode(ARGV[3])) do
  local name, key, arguments = operation[1], KEYS[operation[2]], operation[3]
  local err, _
  if name == 'block' then
    err = rotate(key, arguments)
  else
    local command = name == 'add' and 'HINCRBYFLOAT' or 'RPUSH'
    local about = command .. ' ' .. key .. ' ' .. table.concat(arguments, ' ')
    _, err = try(about, command, key, unpack(arguments))
  end
  if err then
    return err
  end
end
return refusals
