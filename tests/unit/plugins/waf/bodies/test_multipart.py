import pytest
from adc_plugins.waf.bodies.multipart.parse import parse_multipart
from adc_plugins.waf.bodies.parsed import Limits
from hypothesis import given
from hypothesis import strategies as st

TYPE = b"multipart/form-data; boundary=B"
FIELD = b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
FILE = b'--B\r\nContent-Disposition: form-data; name="f"; filename="x.txt"\r\nContent-Type: text/plain\r\n\r\nhello\r\n'
END = b"--B--\r\n"


def parse(body, content_type=TYPE, limits=None):
    return parse_multipart(body, content_type, limits or Limits())


def flags(body):
    """The flags that are set, without prefix and STRICT_ERROR."""
    return {name[len("MULTIPART_") :] for name in body.scalars} - {"STRICT_ERROR"}


def part(disposition, content=b"1"):
    return b"--B\r\nContent-Disposition: " + disposition + b"\r\n\r\n" + content + b"\r\n"


@pytest.mark.parametrize("end", [END, END[:-2]])
def test_fields_are_arguments_and_parts_with_a_file_name_are_files(end):
    body = parse(FIELD + FILE + end)
    assert body.arguments == [(b"a", b"1")]
    assert [(file.field, file.name, file.content) for file in body.files] == [(b"f", b"x.txt", b"hello")]
    assert body.collections["MULTIPART_PART_HEADERS"] == [
        (b"a", b'Content-Disposition: form-data; name="a"'),
        (b"f", b'Content-Disposition: form-data; name="f"; filename="x.txt"'),
        (b"f", b"Content-Type: text/plain"),
    ]
    assert body.collections["MULTIPART_FILENAME"] == [(b"x.txt", b"x.txt")]
    assert not body.error
    assert not body.scalars


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"pre\r\n" + FIELD + END, {"DATA_BEFORE"}),
        (b"\r\n" + FIELD + END, {"DATA_BEFORE"}),
        (FIELD + END + b"post", {"DATA_AFTER"}),
        (FIELD.replace(b"\r\n", b"\n") + b"--B--", {"LF_LINE"}),
        (FIELD.replace(b"\r\n", b"\n") + END, {"LF_LINE", "CRLF_LF_LINES"}),
        (FIELD[:-2] + b"\n" + END, {"LF_LINE", "CRLF_LF_LINES"}),
        (part(b'form-data;\r\n name="a"') + END, {"HEADER_FOLDING"}),
        (part(b'form-data;\r\n\x0bname="a"') + END, {"HEADER_FOLDING", "INVALID_HEADER_FOLDING"}),
        (part(b"form-data; name='a'") + END, {"INVALID_QUOTING"}),
    ],
)
def test_unusual_but_readable_bodies_set_a_flag_and_the_strict_error(body, expected):
    parsed = parse(body)
    assert flags(parsed) == expected
    assert parsed.scalars["MULTIPART_STRICT_ERROR"] == b"1"
    assert parsed.arguments == [(b"a", b"1")]
    assert not parsed.error


@pytest.mark.parametrize(
    ("body", "unmatched"),
    [
        (FIELD + b"--x\r\n" + FIELD + END, b"2"),
        (part(b'form-data; name="a"', b"-----BEGIN KEY-----") + END, b"2"),
        (part(b'form-data; name="a"', b"x--B") + END, b"1"),
        (FIELD + b"--x\r\n", b"1"),
    ],
)
def test_unmatched_boundary_is_2_if_the_final_boundary_follows(body, unmatched):
    assert parse(body).scalars["MULTIPART_UNMATCHED_BOUNDARY"] == unmatched


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        (b'multipart/form-data; boundary="B"', {"BOUNDARY_QUOTED"}),
        (b"multipart/form-data boundary=B", {"MISSING_SEMICOLON", "SEMICOLON_MISSING"}),
        (b"multipart/form-data; boundary =B", {"BOUNDARY_WHITESPACE"}),
        (b"Multipart/Form-Data;boundary=B", set()),
    ],
)
def test_content_type_variants_set_a_flag(content_type, expected):
    parsed = parse(FIELD + END, content_type)
    assert flags(parsed) == expected
    assert parsed.arguments == [(b"a", b"1")]
    assert not parsed.error


@pytest.mark.parametrize(
    "content_type",
    [
        b"multipart/form-data; charset=utf-8; boundary=B",
        b"multipart/form-data; boundary=B; charset=utf-8",
        b"multipart/form-data; Boundary=B",
        b"multipart/form-data; boundary=B; boundary=C",
        b"multipart/form-data; boundary*=B",
        b'multipart/form-data; boundary="B',
        b"multipart/form-data; boundary= B",
        b"multipart/mixed; boundary=B",
        b"multipart/form-data; boundary=B" + b" " * 1024,
    ],
)
def test_content_type_that_readers_understand_differently_is_an_error_but_read(content_type):
    parsed = parse(FIELD + END, content_type)
    assert parsed.scalars["MULTIPART_STRICT_ERROR"] == b"1"
    assert parsed.error or parsed.scalars["MULTIPART_BOUNDARY_WHITESPACE"] == b"1"
    if b"*" not in content_type:
        assert parsed.arguments == [(b"a", b"1")]


@pytest.mark.parametrize(
    "content_type",
    [
        b"multipart/form-data",
        b"multipart/form-data; boundary=",
        b"multipart/form-data; boundary=" + b"B" * 71,
        b"multipart/form-data; boundary=B\xff",
    ],
)
def test_unusable_boundary_is_an_error(content_type):
    assert parse(FIELD + END, content_type).error


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        (b"form-data; name=a", b"a"),
        (b'form-data;name="a"', b"a"),
        (b'form-data; name="a";', b"a"),
        (b'form-data ; name = "a"', b"a"),
        (b'form-data; name="a\\"b\\\\c\\d"', b'a"b\\c\\d'),
        (b'form-data; name="a;b=c"', b"a;b=c"),
        (b'form-data; name="a"; filename=""', b"a"),
        ('form-data; name="이름"'.encode(), "이름".encode()),
    ],
)
def test_name_of_a_sound_disposition(disposition, name):
    parsed = parse(part(disposition) + END)
    assert parsed.arguments == [(name, b"1")]
    assert not parsed.error


@pytest.mark.parametrize(
    "disposition",
    [
        b'form-data; name=""',
        b"form-data",
        b'form-data; name="a"; name="b"',
        b'form-data; name="a"; filename="b"; filename="c"',
        b"form-data; name=\"a\"; filename*=UTF-8''x.php",
        b'form-data; name="a"; filename ="b"',
        b'Form-Data; name="a"',
        b'attachment; name="a"',
        b'form-data; Name="a"',
        b'form-data; name="a',
        b'form-data; name="a"b',
        b'form-data; name="a" filename="b"',
        b'form-data; name="a"; x=y',
        b'form-data; name="a"; x',
    ],
)
def test_malformed_disposition_is_an_error_and_the_content_an_argument(disposition):
    parsed = parse(part(disposition, b"attack") + END)
    assert parsed.error
    assert parsed.scalars["MULTIPART_INVALID_PART"] == b"1"
    assert [value for _, value in parsed.arguments] == [b"attack"]


def test_every_name_and_file_name_is_visible():
    parsed = parse(part(b'form-data; name="a"; name="b"; filename="c"; filename*=UTF-8\'\'d%2Ephp') + END)
    assert parsed.collections["MULTIPART_NAME"] == [(b"a", b"a"), (b"b", b"b")]
    assert parsed.collections["MULTIPART_FILENAME"] == [(b"c", b"c"), (b"d.php", b"d.php")]


@pytest.mark.parametrize(
    "body",
    [
        b"x=y",
        FIELD + b"--B--x\r\n",
        FIELD + b"--Bx\r\n" + END,
        b"--B \r\n" + FIELD[5:] + END,
        FIELD + b"-- B\r\n" + END,
        FIELD + b'--"B"\r\n' + END,
        b"--B\r\nX: y\r\n\r\n1\r\n" + END,
        b'--B\r\nContent-Disposition : form-data; name="a"\r\n\r\n1\r\n' + END,
        b'--B\r\nContent-Disposition: form-data; name="a"\r\n' + END,
        b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + END,
        part(b'form-data; name="a"\r\nX: y\r\nx: z') + END,
        part(b'form-data; name="a"\r\nbad') + END,
        part(b'form-data; name="a"\r\n: bad') + END,
        part(b'form-data; name="a"\r\nX: \0') + END,
        part(b'form-data; name="a"\r\nX: ' + b"y" * 4096) + END,
        part(b'form-data; name="a"' + b"\r\nX: y" * 101) + END,
        b'--B\r\n folded\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' + END,
    ],
)
def test_malformed_body_is_an_error(body):
    parsed = parse(body)
    assert parsed.error
    assert parsed.scalars["MULTIPART_STRICT_ERROR"] == b"1"


@pytest.mark.parametrize("body", [FIELD, FIELD + FILE, FIELD + b"--B", FIELD + b"--B-", FIELD[:-6]])
def test_missing_end_is_unfinished(body):
    parsed = parse(body)
    assert parsed.unfinished
    assert not parsed.error


@pytest.mark.parametrize(
    ("encoding", "content", "decoded"),
    [(b"quoted-printable", b"a=3Db", b"a=b"), (b"Base64", b"YT1i", b"a=b"), (b"base64", b"!", b"")],
)
def test_transfer_encoding_that_some_readers_undo_shows_both_values(encoding, content, decoded):
    parsed = parse(part(b'form-data; name="a"\r\nContent-Transfer-Encoding: ' + encoding, content) + END)
    assert parsed.arguments == [(b"a", content), (b"a", decoded)]


@pytest.mark.parametrize(
    ("body", "limits"),
    [
        (FILE * 3 + END, Limits(files=2)),
        (FIELD + END, Limits(no_files_bytes=20)),
        (FIELD * 3 + END, Limits(arguments=1, files=1)),
    ],
)
def test_limits_are_errors(body, limits):
    assert parse(body, limits=limits).error.startswith("more than")


def test_parts_beyond_the_limit_are_one_argument():
    [_, (_, rest)] = parse(FIELD * 9 + END, limits=Limits(arguments=1, files=1)).arguments
    assert rest.count(b'name="a"') == 7


NAMES = st.binary(min_size=1, max_size=20).filter(lambda name: not set(name) & set(b'\r\n\0"\\'))
CONTENTS = st.binary(max_size=60).filter(lambda content: b"--B" not in content)


@given(st.lists(st.tuples(NAMES, st.one_of(st.none(), NAMES), CONTENTS), min_size=1, max_size=5))
def test_built_body_is_parsed_back(parts):
    body = b""
    for name, file_name, content in parts:
        body += b'--B\r\nContent-Disposition: form-data; name="' + name + b'"'
        body += b"" if file_name is None else b'; filename="' + file_name + b'"'
        body += b"\r\n\r\n" + content + b"\r\n"
    parsed = parse(body + END)
    assert not parsed.error
    assert flags(parsed) <= {"UNMATCHED_BOUNDARY"}
    assert parsed.arguments == [(name, content) for name, file_name, content in parts if file_name is None]
    files = [(file.field, file.name, file.content) for file in parsed.files]
    assert files == [given for given in parts if given[1] is not None]


@given(st.data())
def test_cut_body_is_unfinished_and_no_other_error(data):
    body = FIELD + FILE + FIELD + END[:-2]
    parsed = parse(body[: data.draw(st.integers(len(FIELD), len(body) - 1))])
    assert parsed.unfinished
    assert not parsed.error
    assert not parsed.scalars
