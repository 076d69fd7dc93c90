"""A small certificate authority that speaks ACME (RFC 8555) over TLS and really validates http-01."""

import asyncio
import base64
import json
import secrets
import ssl

import aiohttp
from acme import jws
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from josepy.jwk import JWK


class AcmeServer:
    """`async with AcmeServer(authority, validation_port)`: `directory` is its address.

    Challenges are asked for at `validation_port` of 127.0.0.1, with the name in Host. `orders` are the names of every
    order placed, `validations` what became of each challenge, `accounts` the thumbprints of the keys that signed up.
    """

    def __init__(self, authority, validation_port):
        self._authority = authority
        self._port = validation_port
        self._nonces = set()
        self._keys = {}
        self._orders = []
        self.orders = []
        self.validations = []
        self.accounts = []

    async def __aenter__(self):
        app = web.Application()
        app.add_routes(
            [
                web.get("/directory", self._directory),
                web.route("*", "/nonce", self._nonce),
                web.post("/account", self._account),
                web.post("/order", self._order),
                web.post("/order/{number}", self._order_state),
                web.post("/authz/{number}/{place}", self._authorization),
                web.post("/challenge/{number}/{place}", self._challenge),
                web.post("/finalize/{number}", self._finalize),
                web.post("/certificate/{number}", self._certificate),
            ]
        )
        pair = self._authority.issue("localhost", "127.0.0.1", file="acme-server")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair["certificate"], pair["key"])
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        self._base = f"https://127.0.0.1:{self._runner.addresses[0][1]}"
        self.directory = f"{self._base}/directory"
        return self

    async def __aexit__(self, *error):
        await self._runner.cleanup()

    def _reply(self, body, status=200, **headers):
        nonce = base64.urlsafe_b64encode(secrets.token_bytes(12)).decode().rstrip("=")
        self._nonces.add(nonce)
        fields = {"Replay-Nonce": nonce, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if isinstance(body, str):
            return web.Response(text=body, status=status, headers=fields)
        return web.json_response(body, status=status, headers=fields)

    async def _signed(self, request):
        """The payload of a request whose signature and nonce hold, and the key that signed it."""
        text = await request.text()
        signed = jws.JWS.json_loads(text)
        header = signed.signature.combined
        self._nonces.remove(base64.urlsafe_b64encode(header.nonce).decode().rstrip("="))
        key = header.jwk or self._keys[header.kid]
        assert header.url == f"{self._base}{request.path}"
        assert signed.verify(key)
        return json.loads(signed.payload) if signed.payload else None, key

    async def _directory(self, request):
        return self._reply(
            {
                "newNonce": f"{self._base}/nonce",
                "newAccount": f"{self._base}/account",
                "newOrder": f"{self._base}/order",
            }
        )

    async def _nonce(self, request):
        return self._reply("")

    async def _account(self, request):
        _, key = await self._signed(request)
        thumbprint = key.thumbprint()
        known = thumbprint in self.accounts
        if not known:
            self.accounts.append(thumbprint)
        place = f"{self._base}/account/{self.accounts.index(thumbprint)}"
        self._keys[place] = JWK.from_json(key.public_key().to_json())
        return self._reply({"status": "valid"}, 200 if known else 201, Location=place)

    async def _order(self, request):
        payload, _ = await self._signed(request)
        names = [identifier["value"] for identifier in payload["identifiers"]]
        self.orders.append(names)
        self._orders.append(
            {
                "names": names,
                "states": ["pending"] * len(names),
                "tokens": [secrets.token_urlsafe(24) for _ in names],
            }
        )
        number = len(self._orders) - 1
        return self._reply(self._shown(number), 201, Location=f"{self._base}/order/{number}")

    def _shown(self, number):
        order = self._orders[number]
        states = set(order["states"])
        status = "valid" if "pem" in order else "ready" if states == {"valid"} else "pending"
        shown = {
            "status": "invalid" if "invalid" in states else status,
            "identifiers": [{"type": "dns", "value": name} for name in order["names"]],
            "authorizations": [
                f"{self._base}/authz/{number}/{place}" for place in range(len(order["names"]))
            ],
            "finalize": f"{self._base}/finalize/{number}",
        }
        return {**shown, "certificate": f"{self._base}/certificate/{number}"} if "pem" in order else shown

    async def _order_state(self, request):
        await self._signed(request)
        return self._reply(self._shown(int(request.match_info["number"])))

    def _one(self, request):
        number, place = int(request.match_info["number"]), int(request.match_info["place"])
        return self._orders[number], number, place

    async def _authorization(self, request):
        await self._signed(request)
        order, number, place = self._one(request)
        return self._reply(
            {
                "status": order["states"][place],
                "identifier": {"type": "dns", "value": order["names"][place]},
                "challenges": [
                    {"type": "dns-01", "url": f"{self._base}/none", "token": "x" * 22, "status": "pending"},
                    self._challenge_of(order, number, place),
                ],
            }
        )

    def _challenge_of(self, order, number, place):
        shown = {
            "type": "http-01",
            "url": f"{self._base}/challenge/{number}/{place}",
            "token": order["tokens"][place],
            "status": order["states"][place],
        }
        if order["states"][place] == "invalid":
            shown["error"] = {
                "type": "urn:ietf:params:acme:error:unauthorized",
                "detail": "the answer was not the right one",
            }
        return shown

    async def _challenge(self, request):
        _, key = await self._signed(request)
        order, number, place = self._one(request)
        valid = await self._validate(order["names"][place], order["tokens"][place], key)
        order["states"][place] = "valid" if valid else "invalid"
        self.validations.append((order["names"][place], valid))
        shown = self._challenge_of(order, number, place)
        return self._reply(shown, Link=f'<{self._base}/authz/{number}/{place}>;rel="up"')

    async def _validate(self, name, token, key):
        thumbprint = base64.urlsafe_b64encode(key.thumbprint()).decode().rstrip("=")
        url = f"http://127.0.0.1:{self._port}/.well-known/acme-challenge/{token}"
        async with (
            aiohttp.ClientSession() as session,
            session.get(url, headers={"Host": name}, allow_redirects=False) as answer,
        ):
            return answer.status == 200 and (await answer.text()).rstrip() == f"{token}.{thumbprint}"

    async def _finalize(self, request):
        payload, _ = await self._signed(request)
        number = int(request.match_info["number"])
        order = self._orders[number]
        assert set(order["states"]) == {"valid"}
        encoded = payload["csr"]
        csr = x509.load_der_x509_csr(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
        order["pem"] = await asyncio.to_thread(self._sign, csr, order["names"])
        return self._reply(self._shown(number))

    def _sign(self, csr, names):
        """The certificate for the key of `csr`: what trustme would issue, with that key instead of its own."""
        asked = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert set(asked.get_values_for_type(x509.DNSName)) == set(names)
        ca = self._authority.ca
        like = x509.load_pem_x509_certificate(ca.issue_cert(*names).cert_chain_pems[0].bytes())
        builder = x509.CertificateBuilder(
            issuer_name=like.issuer,
            subject_name=like.subject,
            public_key=csr.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=like.not_valid_before_utc,
            not_valid_after=like.not_valid_after_utc,
        )
        for extension in like.extensions:
            if extension.oid != x509.oid.ExtensionOID.SUBJECT_KEY_IDENTIFIER:
                builder = builder.add_extension(extension.value, extension.critical)
        key = load_pem_private_key(ca.private_key_pem.bytes(), None)
        issued = builder.sign(key, hashes.SHA256())
        return issued.public_bytes(Encoding.PEM).decode()

    async def _certificate(self, request):
        await self._signed(request)
        return self._reply(self._orders[int(request.match_info["number"])]["pem"])
