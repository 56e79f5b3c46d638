"""Pebble, Let's Encrypt's small ACME server, on a machine: a CA that really requests the challenge before it issues a
certificate."""

import json
import os
import shutil
import subprocess

import machine as machines
import pytest

MODULE = "github.com/letsencrypt/pebble/v2/cmd/pebble"
VERSION = "v2.8.0"
DIRECTORY = "https://localhost:14000/dir"
CA = "/root/pebble/ca.pem"
# certbot must trust Pebble's own certificate, which no public CA has signed.
TRUST = f"export REQUESTS_CA_BUNDLE={CA}; "


def program():
    """Returns the path of Pebble, which is built once; skips the test if there is no Go."""
    kept = machines.CACHE.parent / f"pebble-{VERSION}" / "pebble"
    if not kept.exists():
        if not shutil.which("go"):
            pytest.skip("needs Go, to build Pebble")
        partial = kept.parent.with_suffix(f".{os.getpid()}")
        environment = {**os.environ, "GOBIN": str(partial), "CGO_ENABLED": "0"}
        done = subprocess.run(["go", "install", f"{MODULE}@{VERSION}"], env=environment,
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        kept.parent.mkdir(parents=True, exist_ok=True)
        (partial / "pebble").rename(kept)
        partial.rmdir()
    return kept


def start(machine, name):
    """Starts it on the machine, and makes `name` resolve to the machine itself."""
    config = {"pebble": {
        "listenAddress": "0.0.0.0:14000", "managementListenAddress": "0.0.0.0:15000",
        "certificate": CA, "privateKey": "/root/pebble/key.pem", "httpPort": 80, "tlsPort": 443,
        "ocspResponderURL": "", "externalAccountBindingRequired": False,
    }}
    machine.run("mkdir -p /root/pebble; cd /root/pebble; openssl req -x509 -newkey ec "
                "-pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost "
                f"-addext subjectAltName=DNS:localhost -keyout key.pem -out {CA} 2>/dev/null; "
                f"echo '127.0.0.1 {name}' >>/etc/hosts")
    machine.write("/root/pebble/config.json", json.dumps(config))
    machine.copy_in(program(), "/root/pebble/pebble")
    machine.run("chmod 755 /root/pebble/pebble; systemd-run --unit=pebble "
                "-E PEBBLE_VA_NOSLEEP=1 -E PEBBLE_WFE_NONCEREJECT=0 "
                "/root/pebble/pebble -config /root/pebble/config.json")
    machine.wait(f"curl -sf --cacert {CA} {DIRECTORY}")


def stop(machine, name):
    machine.run(f"systemctl stop pebble; rm -r /root/pebble; "
                f"grep -v ' {name}$' /etc/hosts >/root/hosts; cat /root/hosts >/etc/hosts")
