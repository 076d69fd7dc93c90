"""Revoked client certificates, and suites that are not offered."""

import asyncio
import contextlib
import datetime
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from adc.net.tls import KeyPair, ServerTls, ServerTlsOptions, TlsError
from tests.kit.authority import Authority, tls_client
from tests.kit.client import get
from tests.kit.waiting import eventually
from tests.wire.tls.terminating import client_of, terminating

REFUSED = (OSError, asyncio.IncompleteReadError)


@pytest.fixture
def clients(tmp_path):
    return Authority(tmp_path / "clients")


def revoke(authority, *pairs):
    """Write the revocation list of `authority` that has the certificates `pairs`; its path."""
    issuer = x509.load_pem_x509_certificate(authority.ca.cert_pem.bytes())
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.subject)
    builder = builder.last_update(now - datetime.timedelta(days=1)).next_update(
        now + datetime.timedelta(days=1)
    )
    for pair in pairs:
        with open(pair["certificate"], "rb") as file:
            serial = x509.load_pem_x509_certificate(file.read()).serial_number
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now).build()
        builder = builder.add_revoked_certificate(entry)
    path = authority.folder / "list.crl"
    path.write_bytes(builder.sign(authority.ca._private_key, hashes.SHA256()).public_bytes(Encoding.PEM))
    return str(path)


def asking(clients, crl):
    return {"client_auth": {"ca": clients.file, "crl": crl}}


async def answered(proxy, context):
    with contextlib.suppress(*REFUSED):
        async with client_of(proxy, context) as client:
            return (await client.ask(get(host="a.test"))).status == 200
    return False


async def test_a_revoked_certificate_is_refused(tmp_path, authority, clients, member):
    alice, mallory = clients.issue("alice@a.test"), clients.issue("mallory@a.test")
    tls = asking(clients, revoke(clients, mallory))
    async with terminating(tmp_path, member, [authority.issue("a.test")], tls) as proxy:
        assert await answered(proxy, authority.context(alice))
        assert not await answered(proxy, authority.context(mallory))
    assert len(member.requests) == 1


async def test_a_list_that_changes_is_loaded_again(tmp_path, authority, clients, member):
    mallory = clients.issue("mallory@a.test")
    tls = asking(clients, revoke(clients))
    async with terminating(tmp_path, member, [authority.issue("a.test")], tls) as proxy:
        assert await answered(proxy, authority.context(mallory))
        before = proxy.listener.tls
        revoke(clients, mallory)
        await eventually(lambda: proxy.listener.tls is not before)
        assert not await answered(proxy, authority.context(mallory))


def test_a_file_without_a_list_is_refused(authority, clients):
    pair = KeyPair(**authority.issue("a.test"))
    options = ServerTlsOptions(
        (pair,), client_auth="required", client_ca=clients.file, client_crl=clients.file
    )
    with pytest.raises(TlsError, match="no certificate revocation list in it"):
        ServerTls(options)


@pytest.mark.parametrize(
    "suite", ["ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA", "AES128-GCM-SHA256"]
)
async def test_suites_with_cbc_or_without_forward_secrecy_are_off(tmp_path, authority, member, suite):
    context = authority.context(maximum_version=ssl.TLSVersion.TLSv1_2)
    context.set_ciphers(suite)
    async with terminating(tmp_path, member, [authority.issue("a.test")]) as proxy:
        with pytest.raises((ConnectionError, ssl.SSLError)):
            await tls_client(proxy.port, context)
        async with client_of(proxy, authority.context(maximum_version=ssl.TLSVersion.TLSv1_2)) as client:
            assert "GCM" in client.writer.get_extra_info("cipher")[0]


async def test_other_suites_can_be_asked_for(tmp_path, authority, member):
    context = authority.context(maximum_version=ssl.TLSVersion.TLSv1_2)
    context.set_ciphers("ECDHE-ECDSA-AES128-SHA256")
    tls = {"ciphers": "ECDHE+AESGCM:ECDHE+AES"}
    async with (
        terminating(tmp_path, member, [authority.issue("a.test")], tls) as proxy,
        client_of(proxy, context),
    ):
        pass
