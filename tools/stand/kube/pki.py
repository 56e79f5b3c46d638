"""Keys and certificates of a stand, made by openssl once and kept in its directory."""

import os
import subprocess
from pathlib import Path

DAYS = "3650"


class Authority:
    """A certificate authority and the certificates that it signs. All files have mode 0600."""

    def __init__(self, directory, name):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.key, self.cert = self._paths(name)
        if not self.cert.exists():
            _new_key(self.key)
            _write(self.cert, _openssl(
                "req", "-x509", "-key", self.key, "-subj", f"/CN={name}", "-days", DAYS,
                "-addext", "keyUsage=critical,keyCertSign,cRLSign"))

    def issue(self, name, common_name, organization=None, hosts=()):
        """Returns (key, certificate), usable by client and server; makes them if missing."""
        key, cert = self._paths(name)
        if not cert.exists():
            _new_key(key)
            self._sign(key, cert, _subject(common_name, organization), hosts)
        return key, cert

    def _sign(self, key, cert, subject, hosts):
        extensions = cert.with_suffix(".ext")
        extensions.write_text(_extensions(hosts))
        request = _openssl("req", "-new", "-key", key, "-subj", subject)
        _write(cert, _openssl(
            "x509", "-req", "-CA", self.cert, "-CAkey", self.key, "-days", DAYS,
            "-set_serial", str(int.from_bytes(os.urandom(8), "big")),
            "-extfile", extensions, stdin=request))

    def _paths(self, name):
        return self.directory / f"{name}.key", self.directory / f"{name}.crt"


def signing_key(directory, name):
    """Returns a key pair (private, public) without a certificate; makes it if missing."""
    private, public = Path(directory, f"{name}.key"), Path(directory, f"{name}.pub")
    if not public.exists():
        _new_key(private)
        _write(public, _openssl("pkey", "-in", private, "-pubout"))
    return private, public


def _subject(common_name, organization):
    return (f"/O={organization}" if organization else "") + f"/CN={common_name}"


def _extensions(hosts):
    lines = ["keyUsage=critical,digitalSignature", "extendedKeyUsage=serverAuth,clientAuth"]
    if hosts:
        names = [("IP:" if h.replace(".", "").isdigit() else "DNS:") + h for h in hosts]
        lines.append("subjectAltName=" + ",".join(names))
    return "\n".join(lines) + "\n"


def _new_key(path):
    _write(path, _openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"))


def _write(path, data):
    """Writes the file atomically: a file that exists is complete, and is not made again."""
    partial = path.with_name(f"{path.name}.partial")
    with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as f:
        f.write(data)
    partial.rename(path)


def _openssl(*words, stdin=b""):
    command = ["openssl", *map(str, words)]
    done = subprocess.run(command, input=stdin, capture_output=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.decode(errors='replace')}")
    return done.stdout
