from tests.fuzz.fuzz_http1_messages import fuzz


def test_mutated_messages_are_read_the_same_way_however_their_bytes_arrive():
    requests, responses = fuzz(400, seed=1)
    assert requests > 150
    assert responses > 80
