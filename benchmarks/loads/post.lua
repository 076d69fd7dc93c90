-- POSTs with a form of 10 KB.
local browser = require("browser")
local body = "comment=" .. string.rep("an+ordinary+sentence+of+a+form%2C+as+long+as+others.+", 300):sub(1, 10240 - 8)
local framing = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: " .. #body .. "\r\n\r\n"
init = browser.init
request = function() return browser.head("POST") .. framing .. body end
