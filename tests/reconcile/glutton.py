"""An API server whose responses are as large as allowed, in JSON that takes twenty times as much memory.

A list has one object with the requested label, so that it is kept, with a hundred thousand members.
That of pods comes late, so that all others are kept until then.
"""

import json
import multiprocessing
import ssl
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from stand.process import free_port

KINDS = {
    "statefulsets": ("apps/v1", "StatefulSet"), "pods": ("v1", "Pod"),
    "services": ("v1", "Service"), "ingresses": ("networking.k8s.io/v1", "Ingress"),
    "networkpolicies": ("networking.k8s.io/v1", "NetworkPolicy"),
    "persistentvolumeclaims": ("v1", "PersistentVolumeClaim"),
    "clusters": ("apps.kubeblocks.io/v1alpha1", "Cluster"),
}
LABEL = "project.fullstackagent.io/resource"


class Glutton:
    """One such server in its own process; every list has `size` bytes, that of pods comes after `late` seconds."""

    def __init__(self, key, cert, size, late):
        self.port = free_port()
        self._process = multiprocessing.Process(
            target=_serve, args=(self.port, key, cert, size, late), daemon=True)

    def __enter__(self):
        self._process.start()
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.join()


def _serve(port, key, cert, size, late):
    members = ",".join(f'"k{number:07}":""' for number in range(size // 14)).encode()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            where = urlsplit(self.path)
            resource = where.path.rsplit("/", 1)[1]
            ids = parse_qs(where.query).get("labelSelector", ["="])[0].partition("=")[2]
            api, kind = KINDS.get(resource, ("v1", "Status"))
            metadata = json.dumps({"name": "x", "labels": {LABEL: ids}})
            if resource == "pods":
                time.sleep(late)
            self.answer(f'{{"apiVersion":"{api}","kind":"{kind}List","items":'
                        f'[{{"metadata":{metadata},"spec":{{'.encode(), members, b"}}]}")

        def do_PATCH(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.answer(b"{}")

        do_DELETE = do_PATCH

        def answer(self, *parts):
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(sum(map(len, parts))))
            self.end_headers()
            for part in parts:
                self.wfile.write(part)

        def log_message(self, *_):
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True,
                                        do_handshake_on_connect=False)
    server.serve_forever()
