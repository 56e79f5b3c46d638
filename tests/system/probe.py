"""Runs as a service: tries what its sandbox forbids, and prints what succeeded, as JSON."""

import ctypes
import json
import os
import socket
import sys

OTHER_SERVICE, OTHER_PID = sys.argv[1], int(sys.argv[2])
PTRACE_ATTACH, CLONE_NEWUSER, SCHED_FIFO = 16, 0x10000000, 1
libc = ctypes.CDLL(None, use_errno=True)


def system_call(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), "refused")


def connect(address):
    with socket.create_connection(address, timeout=30):
        pass


def read(path):
    with open(path, "rb") as file:
        file.read(1)


def write(path):
    with open(path, "ab"):
        pass


def mount():
    system_call(libc.mount(b"none", b"/tmp", b"tmpfs", 0, None))
    system_call(libc.umount(b"/tmp"))


def executable_memory():
    libc.mmap.restype = ctypes.c_void_p
    at = libc.mmap(None, ctypes.c_size_t(4096), 7, 0x22, -1, ctypes.c_long(0))
    if at in (None, ctypes.c_void_p(-1).value):
        raise OSError("refused")


def other_processes():
    if not [name for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()
            and os.stat(f"/proc/{name}").st_uid != os.getuid()]:
        raise OSError("none to be seen")


def scratch(folder):
    path = os.path.join(folder, f"probe-{os.getpid()}")
    write(path)
    os.unlink(path)


def become_root():
    os.setuid(0)


def socket_family(family):
    socket.socket(family, socket.SOCK_RAW if family == socket.AF_PACKET else socket.SOCK_STREAM).close()


def set_user_id_file():
    path = f"/tmp/suid-{os.getpid()}"
    write(path)
    os.chmod(path, 0o4755)


ATTEMPTS = {
    "tcp": lambda: connect(("127.0.0.1", 8080)),
    "ipv4 socket": lambda: socket_family(socket.AF_INET),
    "raw packets": lambda: socket_family(socket.AF_PACKET),
    "netlink": lambda: socket_family(socket.AF_NETLINK),
    # These folders are made for the probe, and everybody may write to them.
    "write /usr": lambda: scratch("/usr/local/open"),
    "write /etc": lambda: scratch("/etc/open"),
    "write /var": lambda: scratch("/var/open"),
    "write /run": lambda: scratch("/run/open"),
    "write the configuration": lambda: write("/etc/fullstack-agent/fsa.conf"),
    "touch the wake file": lambda: write("/run/fullstack-agent/wake"),
    "read owner.key": lambda: read("/etc/fullstack-agent/keys/owner.key"),
    "read cluster.key": lambda: read("/etc/fullstack-agent/keys/cluster.key"),
    "read /etc/shadow": lambda: read("/etc/shadow"),
    "list /root": lambda: os.listdir("/root"),
    "list /home/ada": lambda: read("/home/ada/secret"),
    "outside /tmp": lambda: read("/tmp/outside"),
    "PostgreSQL's data": lambda: os.listdir("/var/lib/postgresql/15/main"),
    "own credential owner.key": lambda: read(os.environ["CREDENTIALS_DIRECTORY"] + "/owner.key"),
    "own credential cluster.key": lambda: read(os.environ["CREDENTIALS_DIRECTORY"] + "/cluster.key"),
    "others' credentials": lambda: read(f"/run/credentials/{OTHER_SERVICE}/owner.key"),
    "others' processes": other_processes,
    "trace others": lambda: system_call(libc.ptrace(PTRACE_ATTACH, OTHER_PID, None, None)),
    "signal others": lambda: os.kill(OTHER_PID, 0),
    "become root": become_root,
    "mount": mount,
    "new user namespace": lambda: system_call(libc.unshare(CLONE_NEWUSER)),
    "writable and executable memory": executable_memory,
    "real-time scheduling": lambda: os.sched_setscheduler(0, SCHED_FIFO, os.sched_param(1)),
    "set-user-id file": set_user_id_file,
    "disk device": lambda: os.mknod("/tmp/disk", 0o60600, os.makedev(8, 0)),
    "host name": lambda: socket.sethostname("probe"),
    "kernel settings": lambda: write("/proc/sys/kernel/hostname"),
    "kernel log": lambda: read("/dev/kmsg"),
    "chroot": lambda: os.chroot("/tmp"),
}


def main():
    done = []
    for name, attempt in ATTEMPTS.items():
        try:
            attempt()
            done.append(name)
        except (OSError, KeyError):
            pass
    print("probe:" + json.dumps(done))


main()
