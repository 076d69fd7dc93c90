-- GETs of 1,000 clients, as a trusted proxy in front would pass them on.
local browser = require("browser")
browser.extra = function(count)
  return "\r\nX-Forwarded-For: 198.18." .. count % 4 .. "." .. count % 250 + 1
end
init = browser.init
request = function() return browser.head("GET") .. "\r\n" end
