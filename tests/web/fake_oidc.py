"""An OpenID Connect provider over TLS, like fake_github.py."""

import base64
import secrets
import time
from urllib.parse import unquote_plus

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from fake_github import CLIENT, Github
from tokens import encode


class Key:
    """A signing key of the provider: "RS256" or "ES256"."""

    def __init__(self, algorithm, kid):
        self.algorithm, self.kid = algorithm, kid
        if algorithm == "RS256":
            self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        else:
            self.private = ec.generate_private_key(ec.SECP256R1())

    def jwk(self):
        numbers = self.private.public_key().public_numbers()
        common = {"kid": self.kid, "use": "sig", "alg": self.algorithm}
        if self.algorithm == "RS256":
            return {"kty": "RSA", "n": encode(numbers.n.to_bytes(256, "big")), "e": "AQAB",
                    **common}
        return {"kty": "EC", "crv": "P-256", "x": encode(numbers.x.to_bytes(32, "big")),
                "y": encode(numbers.y.to_bytes(32, "big")), **common}

    def sign(self, claims, header=None):
        header = header or {"alg": self.algorithm, "kid": self.kid, "typ": "JWT"}
        text = (encode(header) + "." + encode(claims)).encode()
        if self.algorithm == "RS256":
            signature = self.private.sign(text, padding.PKCS1v15(), hashes.SHA256())
        else:
            r, s = decode_dss_signature(self.private.sign(text, ec.ECDSA(hashes.SHA256())))
            signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return text.decode() + "." + encode(signature)


class Oidc(Github):
    """`claims`: changes of the ID token, or a function that makes the token from all claims. `document`: changes of
    the discovery document. `more`: further members of the token response. `authentication`: "basic" or "post", how a
    client has to show its secret; one that does it in the other way, or in both, is refused, according to RFC 6749,
    section 2.3."""

    def __init__(self, key, cert):
        self.rsa, self.ec = Key("RS256", "rsa-1"), Key("ES256", "ec-1")
        self.stranger = Key("RS256", "rsa-1")
        super().__init__(key, cert)
        self.behave()

    def behave(self):
        super().behave()
        self.person = {"sub": "248289761001", "name": "Jane Doe", "preferred_username": "jane"}
        self.key = self.rsa
        self.claims, self.document, self.more = {}, {}, {}
        self.authentication = "basic"  # the default, if the document names none

    def routes(self):
        return {"/.well-known/openid-configuration": self.discovery, "/authorize": self.authorize,
                "/token": self.exchange, "/keys": self.keys}

    def discovery(self, _):
        return 200, {"issuer": self.url, "authorization_endpoint": self.url + "/authorize",
                     "token_endpoint": self.url + "/token", "jwks_uri": self.url + "/keys",
                     "response_types_supported": ["code"], **self.document}

    def keys(self, _):
        return 200, {"keys": [self.rsa.jwk(), self.ec.jwk()]}

    def shown(self, request):
        """Returns how the client showed its secret; moves it to where Github looks for it."""
        _, headers, form = self.requests[-1][:3]
        ways = ["post"] if "client_secret" in form else []
        value = {n.lower(): v for n, v in dict(headers).items()}.get("authorization", "")
        if value.startswith("Basic "):
            ways.append("basic")
            name, secret = base64.b64decode(value[6:]).decode().split(":")
            form["client_id"], form["client_secret"] = [unquote_plus(name)], [unquote_plus(secret)]
        return ways

    def exchange(self, request):
        if self.shown(request) != [self.authentication]:
            return 401, {"error": "invalid_client"}
        code = self.requests[-1][2]["code"][0]
        asked, person = self.codes.get(code, ({}, {}))
        status, answer = super().exchange(request)
        if "access_token" not in answer:
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 300,
                  "nonce": asked.get("nonce"), "jti": secrets.token_hex(8), **person}
        if callable(self.claims):
            token = self.claims(claims)
        else:
            claims.update(self.claims)
            token = self.key.sign({n: v for n, v in claims.items() if v is not ...})
        answer.update(self.more)
        return status, {**answer, "id_token": token} if token is not None else answer
