from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from adc.http.headers import Headers
from adc.http.message import Request
from adc.net.client_certificate import describe, strip, tell


def certificate(common_name, names=()):
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), 0xBEEF, now, now + timedelta(1))
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def request(*lines):
    return Request("GET", "/", "/", "", "a", "a", Headers(lines))


def test_certificate_is_described():
    names = [
        x509.DNSName("a.test"),
        x509.RFC822Name("a@a.test"),
        x509.UniformResourceIdentifier("spiffe://a/b"),
    ]
    told = describe(certificate("Alice", names))
    assert told["X-SSL-Client-Subject-DN"] == told["X-SSL-Client-Issuer-DN"] == "CN=Alice"
    assert told["X-SSL-Client-SAN"] == "DNS:a.test, email:a@a.test, URI:spiffe://a/b"
    assert told["X-SSL-Client-Serial"] == "BEEF"


@pytest.mark.parametrize("name", ["a\r\nX-Admin: 1", "a\x00b", "Zoë"])
def test_name_cannot_leave_its_field(name):
    subject = describe(certificate(name))["X-SSL-Client-Subject-DN"]
    assert subject.isascii()
    assert subject.isprintable()


@pytest.mark.parametrize(
    "forged",
    [
        b"X-SSL-Client-Verify",
        b"x-ssl-client-subject-dn",
        b"X_SSL_Client_Verify",
        b"x-ssl_CLIENT-san",
        b"X.SSL.Client.Verify",
    ],
)
def test_certificate_fields_of_a_client_are_replaced(forged):
    asked = request((b"Host", b"a"), (forged, b"SUCCESS"), (b"X-SSL-Client-Color", b"red"))
    tell(asked, {})
    assert asked.headers.pairs == [
        (b"Host", b"a"),
        (b"X-SSL-Client-Color", b"red"),
        (b"X-SSL-Client-Verify", b"NONE"),
    ]
    tell(asked, {"X-SSL-Client-Verify": "SUCCESS"})
    assert asked.headers.get_all(b"x-ssl-client-verify") == [b"SUCCESS"]
    strip(asked)
    assert b"x-ssl-client-verify" not in asked.headers
