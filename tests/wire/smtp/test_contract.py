"""The mail listener of contract/07-l4.yaml behaves as its comments say."""

import yaml

from tests.kit.smtp import MailMember, relaying_with
from tests.wire.contract import contract


async def test_recipient_domain_chooses_the_pool(tmp_path):
    whole = yaml.safe_load(contract("07-l4"))
    (mail,) = [each for each in whole["listeners"] if each["protocol"] == "smtp"]
    async with MailMember() as mx_a, MailMember() as mx_rest:
        pools = {"mx_a": {"members": [mx_a.address]}, "mx_rest": {"members": [mx_rest.address]}}
        mapping = {"sessions": whole["sessions"], "listeners": [{**mail, "name": "web"}], "pools": pools}
        async with relaying_with(tmp_path, mapping) as (_proxy, client):
            assert (await client.send("u@example.com", "v@example.org")).startswith("250")
        assert mx_a.messages[0][1] == ["RCPT TO:<u@example.com>"]
        assert mx_rest.messages[0][1] == ["RCPT TO:<v@example.org>"]
