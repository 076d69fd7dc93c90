-- GETs over keep-alive connections, each of another path.
local browser = require("browser")
init = browser.init
request = function() return browser.head("GET") .. "\r\n" end
