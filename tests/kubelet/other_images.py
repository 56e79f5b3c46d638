"""Images that know nothing of sandboxes: folders, and their configurations, as runtime/build --unpack leaves them."""

import json
import shutil
import subprocess
from pathlib import Path

ALPINE, EMPTY = "example.com/alpine:3", "example.com/empty:1"
MUSL = "/lib/ld-musl-x86_64.so.1"
GREET = '#include <stdio.h>\nint main(void) { puts("greetings from musl"); return 0; }\n'


def alpine(root, tools):
    """As Alpine is: busybox, and programs of the C library musl. It has a user and a working directory of its own."""
    for folder in ("bin", "etc", "lib", "srv"):
        (root / folder).mkdir(parents=True)
    shutil.copy(tools / "usr/lib/fullstack-agent/bin/busybox", root / "bin")
    for applet in ("sh", "ls", "cat", "echo", "id"):
        (root / "bin" / applet).symlink_to("busybox")
    (root / "etc" / "passwd").write_text("keeper:x:1234:1234::/home/agent:/bin/sh\n")
    source = root / "greet.c"
    source.write_text(GREET)
    subprocess.run(["musl-gcc", "-o", root / "bin" / "greet", source], check=True)
    shutil.copy(Path(MUSL).resolve(), root / MUSL[1:])
    return configured(root, User="1234:1234", WorkingDir="/srv")


def empty(root, tools):
    """An image without any program."""
    (root / "etc").mkdir(parents=True)
    return configured(root, User="", WorkingDir="/")


def configured(root, **more):
    for folder in ("dev", "home/agent", "proc", "sys", "tmp", "usr/lib"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    config = {"Entrypoint": ["/bin/none"], "Env": ["PATH=/usr/bin:/bin"], **more}
    Path(f"{root}.json").write_text(json.dumps(config))
    return root


OTHERS = {ALPINE: alpine, EMPTY: empty}
