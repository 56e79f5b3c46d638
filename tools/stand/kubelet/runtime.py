"""Runs containers with runc: with the restrictions of our pods, on an image's unpacked file system."""

import contextlib
import errno
import json
import os
import shutil
import subprocess
from pathlib import Path

from . import limits, users
from ..process import make_directory

LOG_MAX = 8 << 20
END_MAX = 65536  # as much of the end of a log as kubesim accepts
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# System calls that no program in a sandbox needs and that expose much of the kernel.
REFUSED = ("acct add_key bpf clock_settime delete_module finit_module init_module io_uring_enter "
           "io_uring_register io_uring_setup kcmp kexec_file_load kexec_load keyctl lookup_dcookie mount "
           "move_mount move_pages open_by_handle_at open_tree fsopen fsmount perf_event_open pivot_root quotactl "
           "reboot request_key setdomainname sethostname setns settimeofday swapoff swapon umount2 "
           "unshare userfaultfd").split()


CLONE_NEWUSER = 0x10000000
# A program that makes a user namespace has all capabilities in it. clone3 is refused because seccomp cannot see its
# flags, which are in memory; the C library then falls back to clone.
NO_USERS = (
    {"names": ["clone"], "action": "SCMP_ACT_ERRNO", "args": [
        {"index": 0, "value": CLONE_NEWUSER, "valueTwo": CLONE_NEWUSER, "op": "SCMP_CMP_MASKED_EQ"}]},
    {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": errno.ENOSYS},
)


class Image:
    """An image that runtime/build has unpacked: a folder, and its configuration next to it.

    rootfs   where containers' users find it: every folder on the way to it is open to them
    """

    def __init__(self, folder, rootfs):
        users.shift(folder)
        self.rootfs = rootfs
        self.config = json.loads(Path(f"{folder}.json").read_text())
        make_directory(rootfs)
        subprocess.run(["mount", "-n", "--bind", folder, rootfs], check=True, capture_output=True, text=True)


class Runtime:
    def __init__(self, directory, images, cgroup):
        self._directory = Path(directory)
        self._images = {prefix: Image(folder, self._directory / "rootfs" / Path(folder).name)
                        for prefix, folder in images.items()}
        self._root = self._directory / "runc"
        self._program = shutil.which("runc", path=PATH)
        self._cgroup = cgroup
        self._limits = limits.available(cgroup)
        if missing := [name for name in limits.NEEDED if name not in self._limits]:
            print(f"cgroups: containers have no limits of {', '.join(missing)} here", flush=True)
        shutil.rmtree(self._root, ignore_errors=True)  # left by an earlier run

    def image(self, name):
        """Returns the Image of that name, or None."""
        return next((image for prefix, image in self._images.items() if name.startswith(prefix)), None)

    def log(self, pod, name):
        folder = self._directory / "output"
        folder.mkdir(exist_ok=True)
        return folder / f"{pod.namespace}_{pod.name}_{name}.log"

    def run(self, identity, spec, log):
        """Starts a container; returns it."""
        bundle = self._directory / "bundles" / identity
        bundle.mkdir(parents=True, exist_ok=True)
        if self._limits:
            spec["linux"]["cgroupsPath"] = f"/{self._cgroup}/{identity}"
            found = spec["linux"]["resources"]
            spec["linux"]["resources"] = {name: found[name] for name in found if name in self._limits}
            spec["mounts"] += _limits_mounts()
        else:
            spec["linux"].pop("resources", None)
        (bundle / "config.json").write_text(json.dumps(spec))  # contains the Secret's values
        words = [self._program, "--root", str(self._root)]
        if not self._limits:
            words.append("--rootless=true")  # runc then continues if cgroups are refused
        name = identity if self._limits else f"{self._cgroup}-{identity}"
        return Container(words, name, bundle, log, self._limits and f"{self._cgroup}/{identity}")


class Container:
    """One run of a container."""

    def __init__(self, runc, name, bundle, log, cgroup):
        self._runc, self._name, self._bundle, self._cgroup = runc, name, bundle, cgroup
        self._log = log
        self._told = None  # size of the log at the last call of output()
        self.oom_killed = False
        with open(log, "ab") as out:
            self._from = out.tell()
            self._process = subprocess.Popen(
                [*runc, "run", "--keep", "--no-new-keyring", "--pid-file", str(bundle / "pid"),
                 "--bundle", str(bundle), name],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)

    def ended(self):
        """Returns the exit code, or None while it runs. Removes its files once it has ended."""
        code = self._process.poll()
        if code is None:
            with contextlib.suppress(OSError):
                if self._log.stat().st_size > LOG_MAX:
                    os.truncate(self._log, 0)
            return None
        if self._bundle.exists():
            self.oom_killed = bool(self._cgroup) and limits.oom_kills(self._cgroup) > 0
            self._order("delete", "--force", self._name)
            shutil.rmtree(self._bundle, ignore_errors=True)
        return code if code >= 0 else 128 - code

    def has_news(self):
        """Whether there is output that output() has not returned yet."""
        return self._log.stat().st_size != self._told

    def output(self):
        """Returns the end of its output."""
        size = self._told = self._log.stat().st_size
        self._from = self._from if self._from <= size else 0  # the log was too long and has been truncated
        with open(self._log, "rb") as log:
            log.seek(max(self._from, size - END_MAX))
            return log.read(END_MAX)

    def is_up(self):
        """Whether its program has been started."""
        return (self._bundle / "pid").exists()

    def signal(self, name):
        self._order("kill", self._name, name)

    def run(self, command, seconds):
        """Whether a command succeeds in the container."""
        try:
            # Its output is discarded, as it may be endless.
            done = subprocess.run([*self._runc, "exec", self._name, *command], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                  timeout=seconds)
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0

    def _order(self, *words):
        subprocess.run([*self._runc, *words], capture_output=True)


def spec(pod, container, image, environment, mounts, network):
    """Returns the container's OCI configuration."""
    security = {**pod.spec.get("securityContext", {}), **container.get("securityContext", {})}
    uid, _, gid = image.config["User"].partition(":")
    uid = security.get("runAsUser", int(uid or 0))
    gid = security.get("runAsGroup", int(gid or uid))
    groups = [security["fsGroup"]] if "fsGroup" in security else []
    environment = {**dict(entry.split("=", 1) for entry in image.config["Env"]), **environment}
    return {
        "ociVersion": "1.0.2",
        "hostname": pod.name[:63],
        "process": {
            "user": {"uid": uid, "gid": gid, "additionalGids": groups},
            "args": [*(container.get("command") or image.config["Entrypoint"]),
                     *container.get("args", [])],
            "env": [f"{name}={value}" for name, value in environment.items()],
            "cwd": container.get("workingDir") or image.config["WorkingDir"],
            "capabilities": {},
            "noNewPrivileges": True,
            "oomScoreAdj": 500,
        },
        "root": {"path": str(image.rootfs), "readonly": True},  # shared by all containers
        "mounts": [*_system_mounts(), *mounts],
        "linux": {
            "namespaces": [*({"type": kind} for kind in ("pid", "mount", "ipc", "uts")),
                           {"type": "user", "path": str(network.parent / users.FILE)},
                           {"type": "network", "path": str(network)}],
            "uidMappings": users.MAPPING,
            "gidMappings": users.MAPPING,
            "resources": limits.resources(container.get("resources", {}).get("limits", {})),
            "seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
                {"names": REFUSED, "action": "SCMP_ACT_ERRNO"}, *NO_USERS]},
            "maskedPaths": ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/sysrq-trigger"],
            "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys"],
        },
    }


def bind(source, destination, *options):
    return {"destination": str(destination), "type": "bind", "source": str(source),
            "options": ["rbind", "nosuid", "nodev", *options]}


def _limits_mounts():
    """The container's own cgroup, from which sandboxd reads what is used of the limits."""
    options = ["nosuid", "nodev", "noexec"]
    return [{"destination": "/sys", "type": "tmpfs", "source": "sys", "options": [*options, "mode=755", "size=64k"]},
            {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": [*options, "ro"]}]


def _system_mounts():
    return [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
         "options": ["nosuid", "strictatime", "mode=755", "size=1m"]},
        {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
         "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]},
        {"destination": "/dev/shm", "type": "tmpfs", "source": "shm",
         "options": ["nosuid", "nodev", "noexec", "mode=1777", "size=64m"]},
        {"destination": "/tmp", "type": "tmpfs", "source": "tmp",
         "options": ["nosuid", "nodev", "mode=1777", "size=64m"]},
    ]
