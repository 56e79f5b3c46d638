"""What the quick start remembers between runs."""

import contextlib
import json
import os
import re
import secrets
import shutil
import stat
from pathlib import Path


class StateError(Exception):
    """The state cannot be used; the message says why."""


LONGEST = 70  # the path of a socket in it may have 107 bytes


class State:
    """A directory of ours with a file state.json, which only we can read."""

    def __init__(self, directory):
        self.directory = Path(directory)
        _check(str(directory))
        self._check_owner()
        self._file = self.directory / "state.json"
        self.settings = self._read()

    def _read(self):
        settings = {
            "user": "demo",
            "password": secrets.token_urlsafe(15),
            "port": None,
            "cluster": None,
            "containers": False,  # whether kubesim's pods are real containers
            "sandboxes_port": None,  # where the sandboxes' addresses are served
            "kubeconfig": None,
            "database": True,
            "options": {},
            "project": None,
            "running": None,  # digest of what the running programs were started with
            "purging": False,  # whether a purge has begun, so that parts may be missing
            **self._load(),
        }
        if not settings["cluster"]:  # from before there was a choice, when it was always the real one
            settings["cluster"] = "sim" if self.is_new() else "real"
        return settings

    def is_new(self):
        """Whether nothing has been started here yet."""
        return not self._file.exists()

    def make(self):
        """Makes the directory, open to others, who need its sockets. /var/tmp is everybody's, so the owner is
        checked."""
        if self.settings["purging"]:
            self.purge()
            self.settings = self._read()
        with contextlib.suppress(FileExistsError):
            self.directory.mkdir(parents=True)
        self._check_owner()
        self.directory.chmod(0o711)

    def purge(self):
        """Removes everything; after an interruption, the next run continues."""
        self.save(purging=True)
        for path in self.directory.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path != self._file:
                path.unlink()
        shutil.rmtree(self.directory)

    def save(self, **changes):
        self.settings.update(changes)
        temp = self._file.with_suffix(".tmp")
        temp.unlink(missing_ok=True)
        descriptor = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w") as file:
            json.dump(self.settings, file, indent=2)
        temp.rename(self._file)

    def choose_cluster(self, name):
        """Chooses "sim" or "real" permanently: a project cannot move between clusters."""
        current = "kubeconfig" if self.settings["kubeconfig"] else self.settings["cluster"]
        if name and name != current and not self.is_new():
            raise StateError(
                f"--cluster {name}: what is in {self.directory} was started with another cluster "
                f"({current}); tools/quickstart --purge starts over, FSA_STATE names another place"
            )
        self.settings["cluster"] = name or self.settings["cluster"]

    def choose(self, kubeconfig, no_database, options):
        """Applies the command line's options; the others keep their values.

        Nothing is saved yet, so that a mistake does not affect the next run.
        """
        if kubeconfig:
            if not kubeconfig.is_file():
                raise StateError(f"{kubeconfig}: there is no such file")
            self.settings["kubeconfig"] = str(kubeconfig.resolve())
        if no_database:
            self.settings["database"] = False
        for option in options:
            name, equals, value = option.partition("=")
            if not equals:
                raise StateError(f"--option {option}: not NAME=VALUE")
            self.settings["options"][name.strip()] = value.strip() or None

    def _check_owner(self):
        try:
            found = self.directory.lstat()
        except FileNotFoundError:
            return
        if found.st_uid != os.geteuid() or not stat.S_ISDIR(found.st_mode):
            raise StateError(f"{self.directory} is not a directory of yours; set FSA_STATE")

    def _load(self):
        try:
            return json.loads(self._file.read_text())
        except FileNotFoundError:
            return {}
        except ValueError as e:
            raise StateError(f"{self._file}: {e}; tools/quickstart --purge starts over") from None


def _check(directory):
    """Refuses a directory that cannot be used: configure supports no paths with special characters, such as blanks."""
    if not directory.startswith("/"):
        raise StateError(f"{directory}: FSA_STATE must be an absolute path")
    if re.search(r"[^\w./+@:-]", directory) or len(directory.encode()) > LONGEST:
        raise StateError(f"{directory}: FSA_STATE must be a path of at most {LONGEST} bytes without "
                         "blanks and other special characters (this checkout's path may have them)")
