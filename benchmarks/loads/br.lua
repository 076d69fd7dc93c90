-- GETs from a client that takes brotli only.
local browser = require("browser")
browser.encoding = "br"
init = browser.init
request = function() return browser.head("GET") .. "\r\n" end
