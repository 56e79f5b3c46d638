"""A pristine Debian 12, as its installer leaves it, in which the README's commands are run.

    with Pristine(directory, [base()]) as machine:
        machine.run("apt-get update")
        terminal = machine.terminal("tools/quickstart")

The tree is made by mmdebstrap once and kept in ~/.cache/fullstack-agent/debian/. A machine writes to an
overlay above it, which can be a layer of later machines. It runs in its own namespaces, without an init
system; only the network is ours, for the package mirrors.
"""

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

from stand.process import PATIENCE, StandError, run
from stand.server import Server

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))

from machine import CACHE, SUITE, missing  # noqa: E402

ARCHIVES = CACHE / "archives"
CACHED = CACHE.parent / "runtime"  # layers of Debian images that were fetched before, like apt's packages
# apt itself, and what the installer gives a user who may use sudo.
INCLUDED = ("apt", "ca-certificates", "sudo", "passwd")
USER = "ada"
SUDOERS = f'Defaults env_keep += "http_proxy https_proxy no_proxy"\n{USER} ALL=(ALL) NOPASSWD: ALL'
# The variables that describe the machine's surroundings: proxies, mirrors and certificates.
PASSED = re.compile(r"(https?|no|all|ftp)_proxy|PIP_\w+|npm_config_\w+|GO(PROXY|SUMDB|NOSUMDB|PRIVATE)|"
                    r"(SSL_CERT|NODE_EXTRA_CA_CERTS|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE)\w*", re.I)
SETTINGS = ("/etc/pip.conf", "/etc/npmrc", "/usr/local/share/ca-certificates")
# A locale that is not installed, as ssh may pass on from another machine.
LOCALE = "de_DE.UTF-8"
KEEPER = "sleep infinity"
NOT_FILES = ("/proc", "/sys", "/dev/pts", "/run/host", "/var/cache", "/var/lib/apt", "/var/lib/dpkg")


def sources():
    """Returns the machine's own sources of this Debian release, one per line."""
    lines = []
    for file in (Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))):
        text = file.read_text() if file.is_file() else ""
        lines += [line for line in text.splitlines() if line.startswith("deb ")]
        for stanza in re.split(r"\n\s*\n", text) if file.suffix == ".sources" else ():
            fields = dict(re.findall(r"^([\w-]+):[ \t]*(.*)$", stanza, re.M))
            lines += [f"deb {uri} {suite} {fields.get('Components', '')}"
                      for uri in fields.get("URIs", "").split()
                      for suite in fields.get("Suites", "").split()]
    return [line for line in lines if re.search(rf" {SUITE}(-updates|-security)? ", line)]


def apt_options():
    """Returns the options by which the machine's apt reaches the mirrors."""
    text = run(["apt-config", "dump"], "apt-config")
    return re.findall(r"^(Acquire::https?::(?:Proxy|Verify|CaInfo).*);$", text, re.M)


def base():
    """Returns the directory of the pristine tree, and makes it first if it is not cached."""
    lines = sources()
    words = (SUITE, *INCLUDED, *lines, *apt_options(), "2")  # the number is the version of this function
    tree = CACHE / f"pristine-{hashlib.sha256(' '.join(words).encode()).hexdigest()[:16]}"
    if tree.exists():
        return tree
    CACHE.mkdir(parents=True, exist_ok=True)
    partial = tree.with_suffix(f".partial-{os.getpid()}")
    options = [f"--aptopt={option}" for option in (*apt_options(), 'Acquire::Retries "5"')]
    command = ["mmdebstrap", "--variant=minbase", f"--include={','.join(INCLUDED)}", *options,
               "--dpkgopt=force-unsafe-io",  # the tree need not survive a power failure
               f"--customize-hook=chroot $1 useradd -m -s /bin/bash -G sudo {USER}",
               f"--customize-hook=echo '{SUDOERS}' >$1/etc/sudoers.d/{USER}",
               SUITE, partial, "-"]
    try:
        made = subprocess.run([str(word) for word in command], input="\n".join(lines) + "\n",
                              capture_output=True, text=True)
        if made.returncode != 0:
            raise StandError(f"mmdebstrap failed:\n{made.stderr[-3000:]}")
        _take_settings(partial)
        partial.rename(tree)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return tree


def _take_settings(tree):
    for setting in map(Path, SETTINGS):
        target = tree / str(setting).lstrip("/")
        if setting.is_dir():
            shutil.copytree(setting, target, dirs_exist_ok=True)
        elif setting.exists():
            shutil.copy(setting, target)
    run(["chroot", tree, "update-ca-certificates"], "update-ca-certificates")


class Pristine(Server):
    """One machine; it writes to a directory.

    layers   below it, lowest first: base(), and layer() of stopped machines
    binds    our directory → where the machine finds it
    """

    def __init__(self, directory, layers, binds=None):
        super().__init__(directory, "nspawn")
        self._layers = layers
        self._binds = binds or {}
        self._name = f"fsa-{os.getpid()}-{self.directory.name}"

    def start(self):
        d = self.directory
        for name in ("disk", "work", "root", "archives", "archives-work"):
            (d / name).mkdir(parents=True, exist_ok=True)
        ARCHIVES.mkdir(parents=True, exist_ok=True)
        (d / "disk" / "var/cache/apt/archives").mkdir(parents=True, exist_ok=True)
        nspawn = ["systemd-nspawn", "--quiet", f"--directory={d}/root", f"--machine={self._name}",
                  "--register=no", "--keep-unit", "--link-journal=no", "--as-pid2", "--timezone=off",
                  # Root on a real machine has this; nspawn would remove it, as the network is ours.
                  "--capability=CAP_NET_ADMIN",
                  "--resolv-conf=copy-host", f"--bind-ro={self._hosts()}:/etc/hosts", "--console=pipe",
                  *(f"--bind={ours}:{theirs}" for ours, theirs in self._binds.items()),
                  *KEEPER.split()]
        # The mounts belong to nspawn and end with it, whatever happens. apt finds the packages fetched for earlier
        # machines in its cache.
        disk = overlay(d / "root", self._layers, d / "disk", d / "work")
        archives = overlay(d / "root/var/cache/apt/archives", [ARCHIVES], d / "archives",
                           d / "archives-work")
        script = f"{disk} && {archives} && exec {shlex.join(nspawn)}"
        self.process().start(["unshare", "--mount", "sh", "-c", script])
        self.process().wait_ready(self._runs)

    def stop(self):
        super().stop()
        _keep_packages(self.directory / "archives")

    def layer(self):
        """Stops the machine; returns the files it has written, as a layer for others."""
        self.stop()
        return self.directory / "disk"

    def run(self, command, user="root", check=True):
        """Runs a shell command in the user's home; returns its output, both streams. With check=False, returns the
        finished process."""
        done = subprocess.run(self._command(["bash", "-ec", command], user), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", start_new_session=True)  # without a terminal
        if not check:
            return done
        if done.returncode != 0:
            raise StandError(f"{user}: {command}\nexit {done.returncode}\n{done.stdout[-5000:]}")
        return done.stdout

    def status(self, clone, user="root", expect=0):
        """Returns the output of the clone's quick start with --status."""
        done = self.run(f"{clone}tools/quickstart --status --json", user, check=False)
        if done.returncode != expect:
            raise StandError(f"--status exits with {done.returncode}:\n{done.stdout}")
        return json.loads(done.stdout[done.stdout.index("{"):])

    def terminal(self, command, user="root"):
        """Like run(), but in a terminal; returns a Terminal."""
        words = ["script", "--quiet", "--flush", "--return", "--command", command, "/dev/null"]
        return Terminal(self._command(words, user))

    def path(self, path):
        """Returns our path of a file on the machine."""
        return Path(f"/proc/{self._leader()}/root") / str(path).lstrip("/")

    def processes(self):
        """Returns the command lines of all processes, except those that keep the machine running."""
        mine = os.readlink(f"/proc/{self._leader()}/ns/pid")
        keepers = ("", "(sd-stubinit)", KEEPER)
        return sorted(line for line in map(_command_line, _members(mine)) if line not in keepers)

    def files(self):
        """Returns the paths of all files, except those of the kernel and the internal ones of apt and dpkg."""
        root = f"/proc/{self._leader()}/root"
        found = set()
        for folder, folders, files in os.walk(root):
            inside = folder.removeprefix(root)
            folders[:] = [f for f in folders if f"{inside}/{f}" not in NOT_FILES]
            found.update(f"{inside}/{name}" for name in (*folders, *files))
        return found

    def mounts(self):
        lines = Path(f"/proc/{self._leader()}/mounts").read_text().splitlines()
        return sorted(line.split()[1] for line in lines)

    def _hosts(self):
        """Writes our hosts file, which may name a mirror, plus the machine's own name."""
        file = self.directory / "hosts"
        file.write_text(Path("/etc/hosts").read_text() + f"127.0.1.1 {self._name}\n")
        return file

    def _command(self, words, user):
        home = "/root" if user == "root" else f"/home/{user}"
        paths = "/usr/local/bin:/usr/bin:/bin"
        env = {"HOME": home, "USER": user, "TERM": "xterm", "LANG": LOCALE, "LC_ALL": LOCALE,
               "MAKEFLAGS": f"-j{os.cpu_count()}",
               "PATH": f"/usr/local/sbin:/usr/sbin:/sbin:{paths}" if user == "root" else paths,
               **{name: value for name, value in os.environ.items() if PASSED.fullmatch(name)}}
        return ["nsenter", f"--target={self._leader()}", "--all", "--root", "--wd",
                "runuser", "-u", user, "--", "env", "-i", *(f"{k}={v}" for k, v in env.items()),
                "env", "-C", home, *words]

    def _leader(self):
        """Returns the pid of `sleep`, or None."""
        pid = self.process().pid()
        for _ in range(2):  # nspawn's first process, then ours
            pid = pid and next(iter(_children(pid)), None)
        return pid

    def _runs(self):
        return bool(self._leader()) and _command_line(self._leader()) == KEEPER


class Terminal:
    """A command in its own terminal, with a person who reads and types."""

    def __init__(self, command):
        self.shown = ""
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         stderr=subprocess.STDOUT)
        os.set_blocking(self._process.stdout.fileno(), False)

    def wait_for(self, pattern, seconds=PATIENCE * 5):
        """Waits until the pattern is shown; raises StandError if the command ends before."""
        end = time.monotonic() + seconds
        while not re.search(pattern, self.shown):
            if self._process.poll() is not None or time.monotonic() > end:
                raise StandError(f"{pattern} was not shown, but:\n{self.shown[-3000:]}")
            self._read()

    def press_ctrl_c(self):
        self._process.stdin.write(b"\x03")
        self._process.stdin.flush()

    def end(self, seconds=PATIENCE * 10):
        """Waits for the end; returns the exit code."""
        end = time.monotonic() + seconds
        while self._process.poll() is None:
            if time.monotonic() > end:
                raise StandError(f"does not end, and shows:\n{self.shown[-3000:]}")
            self._read()
        self._read()
        return self._process.returncode

    def _read(self):
        read = self._process.stdout.read()
        if read:
            self.shown += read.decode(errors="replace")
        else:
            time.sleep(0.02)


def overlay(place, layers, upper, work):
    lower = ":".join(str(layer) for layer in reversed(layers))
    return f"mount -t overlay overlay -o lowerdir={lower},upperdir={upper},workdir={work} {place}"


def _keep_packages(archives):
    """Other runs may be doing the same concurrently."""
    for package in archives.glob("*.deb"):
        if package.is_file() and not (ARCHIVES / package.name).exists():
            partial = ARCHIVES / f".{package.name}.{os.getpid()}"
            shutil.copyfile(package, partial)
            partial.rename(ARCHIVES / package.name)


def _children(pid):
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _members(namespace):
    for path in Path("/proc").iterdir():
        try:
            if path.name.isdigit() and os.readlink(path / "ns" / "pid") == namespace:
                yield int(path.name)
        except OSError:  # it has ended since
            pass


def _command_line(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    except OSError:
        return ""
