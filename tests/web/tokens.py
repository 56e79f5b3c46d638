"""JSON Web Tokens as anybody could make them, right ones and wrong ones."""

import base64
import hashlib
import hmac
import json


def encode(data):
    if not isinstance(data, bytes):
        data = json.dumps(data).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sign(claims, secret, header=None):
    """`claims` and `header` are objects, or bytes to be sent as they are."""
    text = encode(header or {"alg": "HS256", "typ": "JWT"}) + "." + encode(claims)
    mac = hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()
    return text + "." + encode(mac)
