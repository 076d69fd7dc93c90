"""Parts for tests over real sockets; plain functions and classes, nothing to inherit from.

    async with serving(tmp_path, config(member.address)) as proxy, proxy.client() as client:
        await client.send(b"GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n")
        reply = await client.reply()

* `proxy.serving(folder, config)`: a `Worker` in this process on port 0 of 127.0.0.1, its logs in `folder`.
  `config` is a mapping as YAML would give it; `proxy.config(*members, ...)` makes the usual one. At the end
  it fails the test if anything raised in the loop. `Proxy.pass_time(seconds)` lets time limits run out
  without waiting.
* `member.Member(script)`: a server that records every byte and runs `script(conversation)` for each
  connection; `member.answering(*replies)` is the script that answers request after request.
* `client.Client`: sends bytes as they are and reads replies one by one, strictly, never longer than
  `PATIENCE` seconds.
* `eventually(condition)`: waits for what happens in the background.
"""
