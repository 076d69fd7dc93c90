"""Files of users."""

import argon2
import bcrypt
import pytest

from adc.smtp.passwords import BadUsers, read_users, verify_user

BCRYPT = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()
ARGON2 = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash("secret")


def users(tmp_path, text):
    file = tmp_path / "users"
    file.write_text(text)
    return read_users(str(file))


@pytest.mark.parametrize("digest", [BCRYPT, ARGON2], ids=["bcrypt", "argon2"])
def test_right_password_only(tmp_path, digest):
    known = users(tmp_path, f"# people\n\nann:{digest}\n")
    assert verify_user(known, b"ann", b"secret")
    assert not verify_user(known, b"ann", b"Secret")
    assert not verify_user(known, b"ann", b"secret\0")


def test_unknown_user_costs_a_verification_too(tmp_path, monkeypatch):
    """It costs as much as that of a known one."""
    known = users(tmp_path, f"ann:{BCRYPT}\n")
    verified = []
    monkeypatch.setattr(bcrypt, "checkpw", lambda *given: verified.append(given) or False)
    assert not verify_user(known, b"bob", b"secret")
    assert verified == [(b"secret", BCRYPT.encode())]


@pytest.mark.parametrize(
    "text", ["", "ann", "ann:plain", ":$2y$04$x", "ann:{SHA}x", "ann:$2y$31$" + "a" * 53]
)
def test_unusable_file_is_refused_without_showing_the_hash(tmp_path, text):
    with pytest.raises(BadUsers) as caught:
        users(tmp_path, text)
    assert "plain" not in str(caught.value)
    assert "$2y" not in str(caught.value)
