"""Decoders called until nothing is left."""


def decoded(decoder, data):
    """Everything that `decoder` makes of `data`, step by step."""
    return b"".join(steps(decoder, data))


def steps(decoder, data):
    """The output of each step."""
    decoder.feed(data)
    while decoder.pending:
        yield decoder.step()
