-- GETs from a client that takes gzip only.
local browser = require("browser")
browser.encoding = "gzip"
init = browser.init
request = function() return browser.head("GET") .. "\r\n" end
