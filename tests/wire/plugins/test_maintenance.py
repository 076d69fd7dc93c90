"""Maintenance switched by the command, over workers, reloads and deaths of workers."""

import os
import signal

from tests.wire.service import until

CONFIG = """
workers: 2
state: {backend: local, path: "@folder"}
listeners: [{name: web, bind: "@web"}]
routes:
  - {name: shop, match: {path: /shop/}, respond: {status: 204}, plugins: [maintenance: {switch: shop}]}
  - {name: all, respond: {status: 204}, plugins: [maintenance: {paths: [/healthz]}]}
admin: {bind: "@admin"}
"""


async def adc(service, *words):
    code, printed = await service.run("maintenance", *words, "--admin", f"127.0.0.1:{service.admin}")
    return code, printed.strip()


async def statuses(service, path="/"):
    return {(await service.get(path))[0] for _ in range(10)}


async def test_switch_holds_in_all_workers_over_a_reload_a_death_and_a_restart(service):
    service.write(CONFIG.replace("@folder", str(service.folder / "state")))
    await service.started()
    assert await adc(service, "on") == (0, "maintenance on: routes all")
    assert await statuses(service) == {503}
    assert await statuses(service, "/healthz") == await statuses(service, "/shop/") == {204}
    service.signal(signal.SIGHUP)
    await service.told("READY=1")
    victim = (await service.status())["workers"][0]["pid"]
    os.kill(victim, signal.SIGKILL)

    async def replaced():
        workers = (await service.status())["workers"]
        return len(workers) == 2 and victim not in {worker["pid"] for worker in workers}

    await until(replaced)
    assert await statuses(service) == {503}
    service.signal(signal.SIGTERM)
    assert await service.ended() == 0
    await service.started()
    assert await statuses(service) == {503}
    code, printed = await adc(service, "status")
    assert code == 0
    assert [line.split()[:2] for line in printed.splitlines()[1:]] == [["maintenance", "on"], ["shop", "off"]]
    assert await adc(service, "off") == (0, "maintenance off: routes all")
    assert await statuses(service) == {204}
    code, printed = await adc(service, "on", "unknown")
    assert code == 1
    assert "there is no switch unknown; there are: maintenance, shop" in printed
