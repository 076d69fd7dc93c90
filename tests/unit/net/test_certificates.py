import ssl

import pytest
import trustme

from adc.net.certificates import NameIndex, host_of, read_facts
from adc.net.placeholder import self_signed
from adc.net.tls import KeyPair, ServerTls, ServerTlsOptions, TlsError


@pytest.fixture(scope="module")
def ca():
    return trustme.CA()


def test_names_and_end_are_read_from_the_certificate(ca):
    issued = ca.issue_cert("A.test", "*.b.test", "192.0.2.1", "2001:db8::1", common_name="not a name")
    facts = read_facts(issued.cert_chain_pems[0].bytes())
    assert facts.names == ("a.test", "*.b.test", "192.0.2.1", "2001:db8::1")
    assert facts.name == "a.test"
    assert facts.expires > 1.7e9


def test_invalid_certificate_is_rejected():
    with pytest.raises(ValueError, match=r"\S"):
        read_facts(b"-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")


INDEX = NameIndex(
    [
        (("a.test", "www.a.test"), "a"),
        (("*.a.test",), "wild"),
        (("a.test", "*.b.test"), "late"),
        (("x.b.test",), "exact"),
    ],
    default="default",
)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a.test", "a"),
        ("A.TEST.", "a"),
        ("www.a.test", "a"),
        ("other.a.test", "wild"),
        ("deep.other.a.test", "default"),
        (".a.test", "wild"),
        ("x.b.test", "exact"),
        ("y.b.test", "late"),
        ("b.test", "default"),
        ("*.a.test", "wild"),
        ("", "default"),
        ("test", "default"),
    ],
)
def test_name_is_found_exactly_then_by_one_label(name, found):
    assert INDEX.find(name) == found


@pytest.mark.parametrize(
    ("authority", "host"),
    [("A.test:443", "a.test"), ("[2001:DB8::1]:80", "2001:db8::1"), ("", ""), ("a b", "")],
)
def test_host_of_an_authority(authority, host):
    assert host_of(authority) == host


def test_placeholder_stands_in_only_while_there_is_no_file(tmp_path):
    file = str(tmp_path / "later.pem")
    options = ServerTlsOptions((KeyPair(file, file, ("a.test", "b.test")),))
    before = ServerTls(options)
    assert before.facts[0].names == ("a.test", "b.test")
    (tmp_path / "later.pem").write_bytes(self_signed(["c.test"]))
    assert options.signature() != before.signature
    assert ServerTls(options).facts[0].names == ("c.test",)


@pytest.mark.parametrize("names", [["a" * 60 + ".example.test"], ["192.0.2.1"], ["_x.test", "b.test"]])
def test_placeholder_is_made_for_any_name(names):
    assert read_facts(self_signed(names)).names == tuple(names)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"ciphers": "NONSENSE"}, "ciphers NONSENSE"),
        ({"client_auth": "required", "client_ca": "/none"}, "ca /none"),
    ],
)
def test_settings_that_openssl_refuses_are_named(tmp_path, options, told):
    file = tmp_path / "a.pem"
    file.write_bytes(self_signed(["a.test"]))
    with pytest.raises(TlsError, match=told):
        ServerTls(ServerTlsOptions((KeyPair(str(file), str(file)),), **options))


def test_encrypted_key_is_refused_without_asking_the_terminal(tmp_path, ca):
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        PrivateFormat,
        load_pem_private_key,
    )

    issued = ca.issue_cert("a.test")
    key = load_pem_private_key(issued.private_key_pem.bytes(), None)
    (tmp_path / "key").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    )
    issued.cert_chain_pems[0].write_to_path(str(tmp_path / "crt"))
    with pytest.raises(TlsError, match="without a password"):
        ServerTls(ServerTlsOptions((KeyPair(str(tmp_path / "crt"), str(tmp_path / "key")),)))


def test_renegotiation_is_off(tmp_path):
    file = tmp_path / "a.pem"
    file.write_bytes(self_signed(["a.test"]))
    context = ServerTls(ServerTlsOptions((KeyPair(str(file), str(file)),))).context
    assert context.options & ssl.OP_NO_RENEGOTIATION
