-- A browser's request: 10 header fields; path, query string, Referer and Cookie change with every request.
-- Arguments: number of hosts, number of path prefixes (`/app0/`, `/app1/`, ...).
local browser = {}

local thread_count = 0
function setup(thread)
  thread_count = thread_count + 1
  thread:set("thread_id", thread_count)
end

local FIELDS = "\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
  .. "\r\nAccept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
  .. "\r\nAccept-Language: en-GB,en;q=0.7,de;q=0.3"
  .. "\r\nSec-Fetch-Dest: document"
  .. "\r\nSec-Fetch-Mode: navigate"

browser.connection = "keep-alive"
browser.encoding = "gzip, deflate, br"
browser.extra = function(count) return "" end

function browser.init(args)
  browser.hosts = tonumber(args[1] or 2)
  browser.prefixes = tonumber(args[2] or 5)
  browser.count = 0
  browser.tail = FIELDS .. "\r\nAccept-Encoding: " .. browser.encoding
    .. "\r\nConnection: " .. browser.connection
end

-- The head of the next request. `path` is what follows the route's prefix; nil makes one from the counter.
function browser.head(method, path)
  local count = browser.count + 1
  browser.count = count
  local host = "site" .. (count * 7) % browser.hosts .. ".example.com"
  local prefix = "/app" .. (count * 13) % browser.prefixes .. "/"
  local tag = thread_id .. "-" .. count + 100
  return method .. " " .. prefix .. (path or ("item/" .. tag .. "?page=" .. count % 10 .. "&ref=" .. count % 100 + 100))
    .. " HTTP/1.1\r\nHost: " .. host .. browser.tail
    .. "\r\nReferer: https://" .. host .. prefix .. "list/" .. count % 1000
    .. "\r\nCookie: theme=dark; visitor=" .. tag .. "; session=b7e2f09c51d64a83" .. count
    .. browser.extra(count) .. "\r\n"
end

-- Everything at the end is one JSON line, which loads/outcome.py reads.
function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "bytes": %d, "microseconds": %d, "p50": %.1f, "p99": %.1f, "errors": %d, "refused": %d}\n',
    summary.requests, summary.bytes, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.timeout, errors.status))
end

return browser
