-- GETs of 1,000 objects, the n-th most popular asked for in proportion to 1/n.
local browser = require("browser")
local OBJECTS, SAMPLES = 1000, 65536
local picks = {}

init = function(args)
  browser.init(args)
  math.randomseed(20 + thread_id)
  local cumulative, total = {}, 0
  for rank = 1, OBJECTS do
    total = total + 1 / rank
    cumulative[rank] = total
  end
  for sample = 1, SAMPLES do
    local point, low, high = math.random() * total, 1, OBJECTS
    while low < high do
      local middle = math.floor((low + high) / 2)
      if cumulative[middle] < point then low = middle + 1 else high = middle end
    end
    picks[sample] = string.format("%06d", low - 1)
  end
end

local prefix_of_all = "asset/"
request = function()
  local pick = picks[browser.count % SAMPLES + 1]
  return browser.head("GET", prefix_of_all .. pick) .. "\r\n"
end
