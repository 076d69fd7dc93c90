"""Base64, hexadecimal, digests, parity, length and letter case."""

from __future__ import annotations

import binascii
import hashlib
import re

from ..expression import Expression
from .model import Transformation

_BASE64_LINES = re.compile(rb"(?:[0-9A-Za-z+/]+ *\r?\n)*[0-9A-Za-z+/]*={0,2} *(?:\r?\n)? *")
_DIGITS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NO_DIGITS = bytes(byte for byte in range(256) if byte not in _DIGITS)


def base64_decode(value: bytes) -> bytes:
    """Decode base64 with padding, which may be broken into lines; return anything else unchanged."""
    text, _, _ = value.partition(b"\x00")
    if _BASE64_LINES.fullmatch(text) is None:
        return value
    digits = text.translate(None, b" \r\n")
    return binascii.a2b_base64(digits) if len(digits) % 4 == 0 else value


def base64_decode_ext(value: bytes) -> bytes:
    """Decode all digits of base64 and ignore the rest."""
    digits = value.translate(None, _NO_DIGITS)
    if len(digits) % 4 == 1:
        digits = digits[:-1]
    return binascii.a2b_base64(digits + b"=" * (-len(digits) % 4))


def base64_encode(value: bytes) -> bytes:
    """Encode to base64 with padding."""
    return binascii.b2a_base64(value, newline=False)


def _digit(byte: int) -> int:
    return (byte & 0xDF) - 0x41 + 10 if byte >= 0x41 else byte - 0x30


_HIGH_DIGIT = bytes(_digit(byte) * 16 & 0xFF for byte in range(256))
_LOW_DIGIT = bytes(_digit(byte) & 0xFF for byte in range(256))


def hex_decode(value: bytes) -> bytes:
    """Decode pairs of hexadecimal digits; other bytes count as if they were digits, a last one alone is dropped."""
    high = value[::2].translate(_HIGH_DIGIT)
    low = value[1::2].translate(_LOW_DIGIT)
    return bytes([(a + b) & 0xFF for a, b in zip(high, low, strict=False)])


def hex_encode(value: bytes) -> bytes:
    """Encode each byte as two small hexadecimal digits."""
    return binascii.hexlify(value)


def md5(value: bytes) -> bytes:
    """Return the MD5 digest, raw."""
    return hashlib.md5(value, usedforsecurity=False).digest()


def sha1(value: bytes) -> bytes:
    """Return the SHA-1 digest, raw."""
    return hashlib.sha1(value, usedforsecurity=False).digest()


def length(value: bytes) -> bytes:
    """Return the number of bytes in decimal digits."""
    return b"%d" % len(value)


_ODD = [bin(byte).count("1") % 2 == 1 for byte in range(256)]
_EVEN_7BIT = bytes(byte | 0x80 if _ODD[byte] else byte & 0x7F for byte in range(256))
_ODD_7BIT = bytes(byte & 0x7F if _ODD[byte] else byte | 0x80 for byte in range(256))
_ZERO_7BIT = bytes(byte & 0x7F for byte in range(256))


def parity_even_7bit(value: bytes) -> bytes:
    """Set the highest bit of each byte so that the number of bits is even."""
    return value.translate(_EVEN_7BIT)


def parity_odd_7bit(value: bytes) -> bytes:
    """Set the highest bit of each byte so that the number of bits is odd."""
    return value.translate(_ODD_7BIT)


def parity_zero_7bit(value: bytes) -> bytes:
    """Clear the highest bit of each byte."""
    return value.translate(_ZERO_7BIT)


CODINGS = (
    Transformation("base64Decode", base64_decode),
    Transformation("base64DecodeExt", base64_decode_ext),
    Transformation("base64Encode", base64_encode),
    Transformation("hexDecode", hex_decode),
    Transformation("hexEncode", hex_encode),
    Transformation("md5", md5),
    Transformation("sha1", sha1),
    Transformation("length", length),
    Transformation("parityEven7bit", parity_even_7bit),
    Transformation("parityOdd7bit", parity_odd_7bit),
    Transformation("parityZero7bit", parity_zero_7bit, Expression(rb"[\x80-\xff]")),
    Transformation("lowercase", bytes.lower, Expression(rb"[A-Z]"), cases=True),
    Transformation("uppercase", bytes.upper, Expression(rb"[a-z]"), cases=True),
)
