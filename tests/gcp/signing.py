"""Tokens as Google signs them for push requests, and the key that they are checked with."""

import base64
import json
import time

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

NAME = "local-1"


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Signer:
    """One RSA key, made anew for each server."""

    def __init__(self):
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def keys(self):
        """The public key as Google publishes its own (RFC 7517)."""
        numbers = self.key.public_key().public_numbers()
        number = lambda value: encoded(value.to_bytes((value.bit_length() + 7) // 8, "big"))
        key = {"kid": NAME, "kty": "RSA", "alg": "RS256", "use": "sig", "n": number(numbers.n), "e": number(numbers.e)}
        return {"keys": [key]}

    def token(self, audience, email):
        """A JSON Web Token that is good for an hour."""
        now = int(time.time())
        claims = {
            "iss": "https://accounts.google.com", "aud": audience, "email": email, "email_verified": True,
            "sub": "1", "azp": "1", "iat": now, "exp": now + 3600,
        }
        parts = [{"alg": "RS256", "kid": NAME, "typ": "JWT"}, claims]
        signed = ".".join(encoded(json.dumps(part).encode()) for part in parts)
        return signed + "." + encoded(self.key.sign(signed.encode(), padding.PKCS1v15(), SHA256()))
