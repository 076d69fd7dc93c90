"""Collections that outlive a transaction."""

from tests.kit.waf import facts, matched_ids, rules, run

COUNTING = (
    'SecAction "id:1,phase:1,nolog,initcol:ip=%{remote_addr},setvar:ip.count=+1{}"\n'
    'SecRule IP:count "@gt 1" "id:2,phase:1,log"\n'
)


class Stored:
    def __init__(self):
        self.collections = {}
        self.ttl = 0

    def load(self, collection, key):
        return dict(self.collections.get((collection, key), {}))

    def store(self, collection, key, values, ttl):
        self.collections[collection, key] = values
        self.ttl = ttl


def counting(more=""):
    return rules(COUNTING.replace("{}", more))


def test_value_is_there_in_the_next_transaction():
    ruleset, stored = counting(), Stored()
    assert matched_ids(run(ruleset, persistent=stored)) == []
    assert matched_ids(run(ruleset, persistent=stored)) == [2]
    assert stored.collections["IP", b"127.0.0.1"][b"count"] == b"2"


def test_collection_timeout_is_the_time_to_live():
    stored = Stored()
    run(rules("SecCollectionTimeout 60\n" + COUNTING.replace("{}", "")), persistent=stored)
    assert stored.ttl == 60


def test_expired_value_is_gone():
    ruleset, stored = counting(",expirevar:ip.count=10"), Stored()
    run(ruleset, facts(time=1000), persistent=stored)
    assert matched_ids(run(ruleset, facts(time=1009), persistent=stored)) == [2]
    assert matched_ids(run(ruleset, facts(time=1020), persistent=stored)) == []


def test_deprecated_value_falls_with_time():
    ruleset = rules(
        'SecAction "id:1,phase:1,nolog,initcol:global=all,deprecatevar:global.n=5/10,setvar:global.n=+20"\n'
        "SecAction \"id:2,phase:1,log,msg:'%{global.n}'\""
    )
    stored = Stored()
    run(ruleset, facts(time=1000), persistent=stored)
    assert run(ruleset, facts(time=1025), persistent=stored).matches[0].message == b"30"


def test_session_is_opened_by_its_id():
    ruleset = rules(
        'SecRule REQUEST_COOKIES:sid "@rx ." "id:1,phase:1,nolog,setsid:%{MATCHED_VAR},setvar:session.hits=+1"\n'
        "SecAction \"id:2,phase:1,log,msg:'%{SESSIONID} %{session.hits}'\""
    )
    stored = Stored()
    request = facts(headers=((b"Cookie", b"sid=abc"),))
    run(ruleset, request, persistent=stored)
    assert run(ruleset, request, persistent=stored).matches[0].message == b"abc 2"


def test_collection_that_no_rule_opened_is_empty():
    assert matched_ids(run(rules('SecRule &IP:count "@eq 0" "id:1,phase:1,log"'))) == [1]
