"""A Sealos desktop as far as its apps see it: a page on another site, over TLS, with the desktop side
of Sealos' own SDK, and our site in a frame."""

import json
from http.server import SimpleHTTPRequestHandler

from tls_server import TlsServer

PAGE = """<!doctype html>
<html lang="en">
<title>Desktop</title>
<script type="importmap">{"imports": {"js-cookie": "/js-cookie/dist/js.cookie.mjs"}}</script>
<script>
const session = %(session)s;
localStorage.clear();
if (session)
	localStorage.setItem("session", JSON.stringify({state: {session}}));
</script>
<script type="module">
import {createMasterAPP} from "/@zjy365/sealos-desktop-sdk/dist/master.esm.js";
createMasterAPP(%(allowed)s);
document.getElementById("app").src = %(app)s;
</script>
<iframe id="app" width="1000" height="800"></iframe>
</html>
"""


class Desktop:
    """One for each name that its certificate has. `session` is what it knows of its user, None when
    nobody is logged in there; `app` is the URL in its frame."""

    def __init__(self, modules, key, cert):
        self.session, self.app = None, "about:blank"
        desktop = self

        class Handler(SimpleHTTPRequestHandler):
            extensions_map = {".js": "text/javascript", ".mjs": "text/javascript"}

            def __init__(self, *args):
                super().__init__(*args, directory=modules)

            def do_GET(self):
                if self.path != "/":
                    super().do_GET()
                    return
                page = desktop.page().encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(page)))
                self.end_headers()
                self.wfile.write(page)

            def log_message(self, *_):
                pass

        server = TlsServer(Handler, key, cert)
        self.port, self.stop = server.server_port, server.stop

    def page(self):
        allowed = ["/".join(self.app.split("/")[:3])]
        return PAGE % {"session": json.dumps(self.session).replace("<", "\\u003c"),
                       "allowed": json.dumps(allowed), "app": json.dumps(self.app)}

    def log_in(self, name, token, kubeconfig):
        user = {"userId": name, "k8s_username": name, "name": name, "avatar": "", "nsid": f"ns-{name}"}
        self.session = {"user": user, "token": token, "kubeconfig": kubeconfig}
