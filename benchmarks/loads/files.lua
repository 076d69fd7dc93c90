-- GETs of 20 large files in turn.
local browser = require("browser")
init = browser.init
request = function() return browser.head("GET", string.format("asset/%06d", browser.count % 20)) .. "\r\n" end
