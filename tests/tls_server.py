"""HTTPS servers in threads of this process, as stand-ins for other people's servers."""

import contextlib
import ssl
import threading
from http.server import ThreadingHTTPServer

from stand.kube.pki import Authority


class TlsServer(ThreadingHTTPServer):
    """Serves with a request handler on a free port of this machine, from now on until stop()."""

    def __init__(self, handler, key, cert):
        super().__init__(("127.0.0.1", 0), handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_):
        """Ignored: clients that hang up are part of the tests."""

    def stop(self):
        self.shutdown()
        self.server_close()


@contextlib.contextmanager
def certified(stand_in, directory, name):
    """Returns a stand-in with a certificate from its own CA, which is its `ca`."""
    authority = Authority(directory / f"{name}-ca", f"{name}-ca")
    made = stand_in(*authority.issue(name, name, hosts=["127.0.0.1"]))
    made.ca = authority.cert
    try:
        yield made
    finally:
        made.stop()
