"""A whole site: a database in a Postgres, our programs, and nginx in front of them.

    with Site(directory, build, postgres) as site:
        client = site.client()
        client.register("ada", "correct horse battery")
        client.get("/api/projects").json()
"""

from pathlib import Path

from .client import Client
from .nginx import Nginx
from .process import free_port, make_directory
from .programs import Programs, option
from .server import Server

ROOT = Path(__file__).resolve().parents[2]
SQL = ROOT / "sql"


class Site(Server):
    """One site in one directory.

    build     where the programs are
    postgres  a running Postgres; the site makes its database there
    port      nginx's; a free one when None
    options   changes of fsa.conf
    root      folder of static files
    host      the name in its URL, with https and the certificate `tls`: (key, certificate)
    front     a server in front names its clients in X-Forwarded-For
    events    whether nginx holds streams of live updates, if it can
    The rest goes to Programs.
    """

    def __init__(self, directory, build, postgres, database="fsa", port=None, options=None,
                 root=None, sql_dir=SQL, outlive=False, host=None, tls=None, events=True, front=False,
                 **rest):
        super().__init__(directory)
        self.postgres = postgres
        self.database = database
        port = port or free_port()
        self.url = f"https://{host}:{port}" if tls else f"http://127.0.0.1:{port}"
        options = {"public_url": self.url, **(options or {})}
        self.programs = Programs(
            self.directory / "programs",
            build,
            postgres.conninfo(database),
            options=options,
            sql_dir=sql_dir,
            outlive=outlive,
            **rest,
        )
        self.nginx = Nginx(
            self.directory / "nginx",
            api=self.programs.socket("api.fcgi"),
            auth=self.programs.socket("auth.fcgi"),
            events=self.programs.events_socket() if events else None,
            port=port,
            root=root,
            user=self.programs.user("api.fcgi"),
            outlive=outlive,
            tls=tls,
            front=front,
            frames=options.get("frame_ancestors"),
            sandboxes=_sandboxes(options),
        )

    def start(self):
        make_directory(self.directory, mode=0o711)
        self.postgres.create_database(self.database)
        self.programs.migrate()
        self.programs.start()
        self.nginx.start()

    def stop(self):
        self.nginx.stop()
        self.programs.stop()

    def client(self):
        """Returns a new client, without cookies and not logged in."""
        return Client(self.url)

    def connect(self, user="postgres"):
        """Returns a psycopg2 connection to the site's database."""
        return self.postgres.connect(self.database, user)


def _sandboxes(options):
    """Returns the URL of all sandboxes for a policy, such as https://*.apps.localhost:8443."""
    scheme, domain, port = (option(options, name) for name in ("ingress_scheme", "ingress_domain", "ingress_port"))
    return f"{scheme}://*.{domain}" + (f":{port}" if int(port) else "")
