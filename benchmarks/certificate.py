"""The certificate of the TLS rows, made afresh for each run with the openssl command."""

from __future__ import annotations

import subprocess
from pathlib import Path

from benchmarks.site import Certificate


def make(folder: Path) -> Certificate:
    """A self-signed ECDSA P-256 certificate for *.example.com in `folder`."""
    certificate = Certificate(folder / "chain.pem", folder / "key.pem", folder / "bundle.pem")
    subject = ["-subj", "/CN=site0.example.com", "-addext", "subjectAltName=DNS:*.example.com,IP:127.0.0.1"]
    key = [
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-keyout",
        str(certificate.key),
    ]
    subprocess.run(
        ["openssl", "req", "-x509", *key, "-out", str(certificate.chain), "-days", "30", *subject],
        check=True,
        capture_output=True,
    )
    certificate.bundle.write_bytes(certificate.chain.read_bytes() + certificate.key.read_bytes())
    return certificate
