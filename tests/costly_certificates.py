"""Makes certificates that take long to verify: RSA keys of 3,072 bits with an equally long public exponent.

Each verification takes four hundred times as long as with the usual exponent. The private exponent is
short instead, so that making them is fast.
"""

import datetime
import ipaddress
import random

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

BITS, PRIVATE_EXPONENT = 3072, 65537


def costly_key():
    """Swaps the exponents of an ordinary key."""
    numbers = rsa.generate_private_key(PRIVATE_EXPONENT, BITS).private_numbers()
    p, q = numbers.p, numbers.q
    d = PRIVATE_EXPONENT
    public = rsa.RSAPublicNumbers(numbers.d, p * q)
    return rsa.RSAPrivateNumbers(p, q, d, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q),
                                 rsa.rsa_crt_iqmp(p, q), public).private_key()


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(subject, key, issuer, issuer_key, *extensions):
    now = datetime.datetime.utcnow()
    builder = x509.CertificateBuilder(
        issuer_name=_name(issuer), subject_name=_name(subject), public_key=key.public_key(),
        serial_number=random.getrandbits(100) + 1,
        not_valid_before=now - datetime.timedelta(days=1),
        not_valid_after=now + datetime.timedelta(days=2))
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def pem(*certificates):
    return b"".join(c.public_bytes(serialization.Encoding.PEM) for c in certificates)


def key_pem(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption())


def names(count):
    return [x509.DNSName(f"{number:x}") for number in range(count)]


def chain(length, key, constraints=0, alternatives=0):
    """Returns an ordinary root, a leaf for 127.0.0.1, its key, and `length` CAs with `key` between them.

    Each of these CAs has `constraints` name constraints, and the leaf `alternatives` names, which violate none.
    """
    authority = x509.BasicConstraints(ca=True, path_length=None)
    bounds = [x509.NameConstraints(None, [x509.DNSName(f"{n:x}.z") for n in range(constraints)])
              ] if constraints else []
    root_key, leaf_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = _certificate("ca 0", root_key, "ca 0", root_key, authority)
    cas = [_certificate(f"ca {n}", key, f"ca {n - 1}", key if n > 1 else root_key, authority, *bounds)
           for n in range(1, length + 1)]
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
                                        *names(alternatives)])
    leaf = _certificate("server", leaf_key, f"ca {length}", key, here)
    return root, leaf, leaf_key, cas[::-1]
