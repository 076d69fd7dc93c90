"""Run a plugin's phases without a server, as the proxy would.

    trial = Trial(Hello, {"greeting": "hi"})
    outcome = trial.run(request(target="/a"), answer(body=b"hello"))
    assert outcome.response.headers.get(b"x-hello") == b"hi"

Several exchanges with one started plugin, on a clock that the test moves:

    async with Trial(RateLimit, {"most": 1}) as trial:
        await trial.exchange()
        assert (await trial.exchange()).response.status == 429
        await trial.pass_time(60)
        assert (await trial.exchange()).response.status == 200
"""

from adc.plugin.options import OptionErrors
from adc.plugin.testkit.http import FakeHttp, SentRequest
from adc.plugin.testkit.messages import answer, request
from adc.plugin.testkit.outcome import Outcome
from adc.plugin.testkit.trial import Trial
from adc.plugin.use import PluginStartFailed

__all__ = [
    "FakeHttp",
    "OptionErrors",
    "Outcome",
    "PluginStartFailed",
    "SentRequest",
    "Trial",
    "answer",
    "request",
]
