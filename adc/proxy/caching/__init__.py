"""The response cache on the way of a request, a stage a file.

`lookup` (is there an answer in the store?) -> `serve` (answer from an entry), or `fetch` (ask the member on
behalf of everybody who waits) -> `fill` (into the store and on to clients at once). `collapse` keeps requests
waiting for one another, `unsafe` is for methods that change something, `purge` for the PURGE method.
"""
