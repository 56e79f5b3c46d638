"""An empty Debian 12 with PostgreSQL and nginx, booted by systemd-nspawn with its own network.

    with Machine(directory, needs("x.deb")) as machine:
        machine.copy_in("x.deb", "/root/x.deb")
        machine.run("apt-get install -y /root/x.deb")
        machine.reboot()

The installed system is made by mmdebstrap once and kept in ~/.cache/fullstack-agent/debian/; each
machine writes to an overlay above it, in its directory. What our package also needs has been
downloaded to apt's archive but not installed, because a machine cannot reach the outside.
"""

import ctypes
import hashlib
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

from stand.process import PATIENCE, StandError, run
from stand.server import Server

CACHE = Path.home() / ".cache" / "fullstack-agent" / "debian"
GROUPS = Path("/sys/fs/cgroup")
UNIFIED = (GROUPS / "cgroup.procs").exists()
SUITE = "bookworm"
# What an administrator's machine has, and python3 for the tests' probe.
INSTALLED = ("systemd", "systemd-sysv", "dbus", "postgresql", "nginx", "ca-certificates", "curl",
             "procps", "openssl", "python3", "certbot")
NEEDED = ("systemd-nspawn", "mmdebstrap", "nsenter", "unshare")


def missing():
    """Returns why this machine cannot run one, or None."""
    if os.geteuid() != 0:
        return "needs root, for systemd-nspawn"
    absent = [name for name in NEEDED if not shutil.which(name)]
    if absent:
        return f"needs {', '.join(absent)}; tools/install-packages installs them"
    probe = ["unshare", "--mount", "--pid", "--net", "--fork", "true"]
    if subprocess.run(probe, stderr=subprocess.DEVNULL).returncode != 0:
        return "namespaces cannot be made here"
    return None


def needs(deb):
    """Returns the packages that a package depends on or recommends."""
    lists = run(["dpkg-deb", "--field", deb, "Depends", "Recommends"], "dpkg-deb")
    lists = re.sub(r"^\w+:", ",", lists, flags=re.M)
    return sorted({word.split()[0] for word in re.split(r"[,|]", lists) if word.strip()})


def base(downloaded):
    """Returns the directory of the installed system, and makes it first if it is not cached.

    downloaded  packages in apt's archive, with their dependencies
    """
    words = (SUITE, *INSTALLED, "+", *downloaded, "3")  # the number is the version of this function
    key = hashlib.sha256(" ".join(words).encode()).hexdigest()[:16]
    tree = CACHE / key
    if tree.exists():
        return tree
    CACHE.mkdir(parents=True, exist_ok=True)
    partial = CACHE / f"{key}.partial-{os.getpid()}"
    retries = "Acquire::Retries"  # a mirror may fail for a moment
    download = (f"chroot $1 apt-get -q -y -o {retries}=5 --download-only --install-recommends "
                "install ")
    command = [
        "mmdebstrap", "--variant=minbase", f'--aptopt={retries} "5"', f"--include={','.join(INSTALLED)}",
        "--skip=cleanup/apt", f"--customize-hook={download} {' '.join(downloaded)}",
        SUITE, partial, "http://deb.debian.org/debian",
    ]
    try:
        run(command, "mmdebstrap")
        partial.rename(tree)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return tree


class Machine(Server):
    """One machine, with its disk in a directory; `downloaded` as for base().

    filters  its systemd can filter packets, which needs control groups of version 2, whatever
             the host uses, and the right to load programs into the kernel
    """

    def __init__(self, directory, downloaded, filters=False):
        super().__init__(directory, "nspawn", patience=60)  # nspawn shuts the machine down cleanly
        self._base = base(downloaded)
        self.name = f"fsa-{os.getpid()}-{self.directory.name}"
        self._relays = []
        self._filters = filters

    def start(self):
        """Starts the machine; returns when it has booted."""
        for name in ("disk", "work", "root"):
            (self.directory / name).mkdir(parents=True, exist_ok=True)
        d = self.directory
        overlay = f"lowerdir={self._base},upperdir={d}/disk,workdir={d}/work"
        nspawn = (f"systemd-nspawn --quiet --boot --directory={d}/root --machine={self.name} "
                  "--private-network --register=no --keep-unit --link-journal=no "
                  "--resolv-conf=off --timezone=off --console=read-only"
                  + (" --capability=CAP_BPF --system-call-filter=bpf" if self._filters else ""))
        # The mount belongs to nspawn and ends with it, whatever happens. Machines need separate control groups, or
        # they would see each other's units.
        groups = "".join(f"echo $$ >{group}/cgroup.procs; " for group in self._make_groups())
        if self._filters and not UNIFIED:
            groups += (f"umount -R {GROUPS} && mount -t cgroup2 none {GROUPS} && "
                       f"mkdir -p {GROUPS}/{self.name} && "
                       f"echo $$ >{GROUPS}/{self.name}/cgroup.procs && ")
        script = f"{groups} mount -t overlay overlay -o {overlay} {d}/root && exec {nspawn}"
        self.process().start(["unshare", "--mount", "sh", "-c", script])
        self._wait_booted()

    def stop(self):
        for relay in self._relays:
            relay.close()
        super().stop()
        self._remove_groups()

    def _remove_groups(self):
        if self._filters and not UNIFIED:
            subprocess.run(["unshare", "--mount", "sh", "-c", f"umount -R {GROUPS}; "
                            f"mount -t cgroup2 none {GROUPS} && "
                            f"find {GROUPS}/{self.name} -depth -type d -exec rmdir {{}} +"])
        for group in self._groups():
            for folder, _, _ in os.walk(group, topdown=False):
                try:
                    os.rmdir(folder)
                except OSError:  # not empty yet, or not a group
                    pass

    def reboot(self):
        """Reboots the machine: nspawn ends, and its service manager, here we, must start it again."""
        self.run("systemctl --no-block reboot")
        end = time.monotonic() + PATIENCE
        while self.process().running():
            if time.monotonic() > end:
                raise StandError("the machine does not shut down")
            time.sleep(0.05)
        self.start()

    def leader(self):
        """Returns the pid of the machine's systemd; None if there is none."""
        pid = self.process().pid()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split() if pid else []
        return int(children[0]) if children else None

    def run(self, command, check=True, input=None, timeout=900):
        """Runs a shell command as root; returns its output, or with check=False the completed process.

        StandError says what failed.
        """
        done = subprocess.run(
            ["nsenter", f"--target={self.leader()}", "--all", "--root", "--wd",
             "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "HOME=/root",
             "DEBIAN_FRONTEND=noninteractive", "sh", "-euc", command],
            input=input, capture_output=True, text=True, timeout=timeout,
        )
        if not check:
            return done
        if done.returncode != 0:
            raise StandError(f"{command}\nexit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def path(self, path):
        """Returns our path of a file on the machine; only for reading, and only if it exists."""
        return Path(f"/proc/{self.leader()}/root") / str(path).lstrip("/")

    def copy_in(self, source, target):
        shutil.copy(source, self.path(target))

    def write(self, path, text, mode=0o644):
        file = self.path(path)
        file.write_text(text)
        file.chmod(mode)

    def wait(self, command, seconds=PATIENCE):
        """Waits until the command succeeds; returns its output."""
        end = time.monotonic() + seconds
        while (done := self.run(command, check=False)).returncode != 0:
            if time.monotonic() > end:
                raise StandError(f"after {seconds} s still exit {done.returncode}: {command}\n"
                                 f"{done.stdout}{done.stderr}")
            time.sleep(0.1)
        return done.stdout

    def status(self, unit, *properties):
        """Returns properties of a unit, as systemctl shows them."""
        words = " ".join(f"--property={name}" for name in properties)
        lines = self.run(f"systemctl show {unit} {words}").splitlines()
        return dict(line.split("=", 1) for line in lines)

    def main_pid(self, unit, instead_of="0"):
        """Waits until a unit is active with another pid than `instead_of`, and returns that: while it is activating,
        the process may still be systemd's own, and root's."""
        return self.wait(f"systemctl show -P MainPID {unit} | grep -vxE '0|{instead_of}' && "
                         f"systemctl is-active --quiet {unit}").strip()

    def reach(self, port):
        """Returns a port out here that leads to this port of the machine's loopback."""
        return self._relay(("127.0.0.1", 0), None, ("127.0.0.1", port), self.leader).port

    def let_out(self, port):
        """Makes this port of the machine's loopback lead to ours, until a reboot; returns the Relay."""
        return self._relay(("127.0.0.1", port), self.leader, ("127.0.0.1", port), None)

    def _relay(self, *ends):
        relay = Relay(*ends)
        self._relays.append(relay)
        return relay

    def _groups(self):
        """Returns the machine's control groups: one in version 2, or one per hierarchy in version 1."""
        if UNIFIED:
            return [GROUPS / self.name]
        # cpuset is omitted: its groups are unusable until they are filled in, and systemd does not use them.
        roots = (p for p in GROUPS.iterdir() if (p / "cgroup.procs").exists() and p.name != "cpuset")
        return [p.resolve() / self.name for p in roots if not p.is_symlink()]

    def _make_groups(self):
        for group in self._groups():
            group.mkdir(exist_ok=True)
        return self._groups()

    def _wait_booted(self):
        def booted():
            if not self.leader():
                return False
            try:
                done = self.run("systemctl is-system-running", check=False, timeout=60)
            except subprocess.TimeoutExpired:
                return False
            return done.stdout.strip() in ("running", "degraded")

        self.process().wait_ready(booted)


class Relay:
    """Forwards TCP connections from one network namespace to another.

    A socket belongs to the namespace in which it was made, so one process can hold both ends. Each
    namespace is given as a function that returns a pid in it, or as None for our own.
    """

    def __init__(self, listen, listen_in, connect, connect_in):
        self._connect, self._connect_in = connect, connect_in
        self._listener = _within(listen_in, lambda: socket.create_server(listen, backlog=128))
        self.port = self._listener.getsockname()[1]
        self._flows = threading.Event()
        self._flows.set()
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        self._listener.close()
        self.go_on()

    def hold(self):
        """Holds back everything that is sent from now on, in either direction, until go_on()."""
        self._flows.clear()

    def go_on(self):
        self._flows.set()

    def _serve(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client):
        with client:
            try:
                server = _within(self._connect_in, lambda: socket.create_connection(self._connect))
            except OSError:
                return
            with server:
                back = threading.Thread(target=self._pump, args=(server, client), daemon=True)
                back.start()
                self._pump(client, server)
                back.join()

    def _pump(self, source, target):
        try:
            while data := source.recv(65536):
                self._flows.wait()
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            source.close()
            target.close()


def _within(pid, action):
    """Runs the action in that process's network namespace, in a new thread, as namespaces belong to threads."""
    if pid is None:
        return action()
    result = []

    def work():
        try:
            with open(f"/proc/{pid()}/ns/net") as namespace:
                if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), 0x40000000) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
            result.append(action())
        except OSError as e:
            result.append(e)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if isinstance(result[0], OSError):
        raise result[0]
    return result[0]
