-- One GET a connection.
local browser = require("browser")
browser.connection = "close"
init = browser.init
request = function() return browser.head("GET") .. "\r\n" end
