"""Tests OpenSSH's programs over fsa ssh: the real ssh, scp, rsync, git and sshd. tests/runtime tests the image's."""

import getpass
import os
import re
import socket
import subprocess

import pytest

from own_machine import OpenSSH

DATA = os.urandom(3 << 20)
USER = getpass.getuser()  # the image has another user; without root, sshd only accepts its own user


@pytest.fixture(scope="module")
def machine(ada, inside):
    return OpenSSH(ada, USER)


def test_a_command_runs_with_its_input_output_and_exit_code(machine, inside):
    done = machine(*machine.ssh, "shop.fsa", "cat; pwd; echo err >&2; exit 7", input=DATA, status=7)
    assert (done.stdout, done.stderr) == (DATA + f"{inside.home}\n".encode(), b"err\n")
    assert machine(*machine.ssh, "SHOP.fsa", "true").stdout == b""


def test_the_sandboxs_environment_is_there(machine, fsa):
    names = b"TTYD_ACCESS_TOKEN|^(SSH|SHLVL|PWD|OLDPWD|TERM|_|LC_|XDG|MAIL|USER|LOGNAME)"
    there = fsa("run", "shop", "--", "env").stdout.splitlines()
    here = machine(*machine.ssh, "shop.fsa", "env").stdout.splitlines()
    assert {line for line in there if not re.match(names, line)} <= set(here)


def test_fsa_ssh_is_ssh_with_its_own_arguments(fsa):
    done = fsa("ssh", "shop", "-l", USER, "-o", "BatchMode=yes", "echo", "it is $((6*7))")
    assert done.stdout == b"it is 42\n"


def test_files_go_there_and_back_by_scp_and_rsync(machine, inside, tmp_path):
    (tmp_path / "data").write_bytes(DATA)
    machine(*machine.scp, tmp_path / "data", "shop.fsa:by scp")
    assert (inside.home / "by scp").read_bytes() == DATA
    machine(*machine.scp, "shop.fsa:by scp", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == DATA
    (tmp_path / "tree" / "deep").mkdir(parents=True)
    (tmp_path / "tree" / "deep" / "file").write_bytes(DATA)
    machine("rsync", "-a", f"{tmp_path}/tree", "shop.fsa:")
    assert (inside.home / "tree" / "deep" / "file").read_bytes() == DATA
    machine("rsync", "-a", "shop.fsa:tree/", tmp_path / "tree-back")
    assert (tmp_path / "tree-back" / "deep" / "file").read_bytes() == DATA


def test_git_pushes_and_clones(machine, inside, tmp_path):
    machine("git", "init", "-q", "-b", "main", tmp_path / "work")
    (tmp_path / "work" / "file").write_text("content\n")
    git = ("git", "-C", tmp_path / "work")
    machine(*git, "add", "file")
    machine(*git, "commit", "-qm", "first")
    machine("git", "init", "-q", "--bare", "-b", "main", inside.home / "repository.git")
    machine(*git, "push", "-q", "shop.fsa:repository.git", "main")
    machine("git", "clone", "-q", "shop.fsa:repository.git", tmp_path / "clone")
    assert (tmp_path / "clone" / "file").read_text() == "content\n"


def test_a_port_is_forwarded(machine):
    with socket.create_server(("127.0.0.1", 0)) as server:
        there = server.getsockname()[1]
        with subprocess.Popen([*map(str, machine.ssh), "-W", f"127.0.0.1:{there}", "shop.fsa"],
                              env=machine.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as ssh:
            far, _ = server.accept()
            far.sendall(b"hello")
            assert ssh.stdout.read(5) == b"hello"
            ssh.stdin.write(b"you too")
            ssh.stdin.close()
            assert far.recv(7) == b"you too"
            far.close()


def test_a_session_survives_lost_connections(machine, inside):
    with inside.line.that_breaks() as line:
        before = line.cuts
        done = machine(*machine.ssh, "shop.fsa", "cat", input=DATA)
    assert done.stdout == DATA and line.cuts > before


def test_keys_are_ones_own_and_nothing_of_a_session_stays(machine, inside):
    machine(*machine.ssh, "shop.fsa", "true")
    modes = {path.name: path.stat().st_mode & 0o777 for path in machine.keys.iterdir()}
    assert modes["id_ed25519"] == modes["authority"] == modes["config"] == 0o600
    assert machine.keys.stat().st_mode & 0o777 == 0o700
    assert not any(name.startswith("session") for name in modes)
    # Only the checking session's own remains once those of earlier sessions have gone.
    machine(*machine.ssh, "shop.fsa", 'until set -- $TMPDIR/fsa-ssh.*; [ $# = 1 ]; do sleep 0.1; done')


def test_a_host_key_that_this_machine_did_not_vouch_for_is_refused(machine, tmp_path):
    """A man in the middle may use an sshd with its own key, or with the key of another host."""
    script = (tmp_path / "between")
    for of in ("nobody", "other.fsa"):
        (tmp_path / of).mkdir()
        key = tmp_path / of / "key"
        machine("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
        by = machine.keys / "authority" if of == "other.fsa" else key
        machine("ssh-keygen", "-q", "-s", by, "-h", "-I", "x", "-n", of, f"{key}.pub")
        (tmp_path / of / "config").write_text(f"HostKey {key}\nHostCertificate {key}-cert.pub\n")
        script.write_text(f"#!/bin/sh\nmkdir -p /run/sshd\n"
                          f"exec /usr/sbin/sshd -i -f {tmp_path / of}/config\n")
        script.chmod(0o755)
        done = machine(*machine.ssh, "-o", f"ProxyCommand={script}", "shop.fsa", "true", status=255)
        assert b"verification failed" in done.stderr


def test_a_stranger_with_the_connection_but_no_key_is_refused(machine, tmp_path):
    machine("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "other")
    done = machine(*machine.ssh, "-o", f"IdentityFile={tmp_path}/other", "-i", tmp_path / "other",
                   "-F", "/dev/null", "-o", f"ProxyCommand={proxy(machine)}",
                   "-o", f"UserKnownHostsFile={machine.keys}/known_hosts", "-o", "IdentitiesOnly=yes",
                   "shop.fsa", "true", status=255)
    assert b"Permission denied (publickey)" in done.stderr


def proxy(machine):
    return re.search(r"ProxyCommand (.*)", (machine.keys / "config").read_text())[1]


def test_ssh_reports_an_unreachable_sandbox(machine):
    done = machine(*machine.ssh, "nothing.fsa", "true", status=255)
    assert b"fsa projects" in done.stderr


def test_ones_own_configuration_stays_and_gets_one_line(machine, ada):
    before = machine.config.read_text()
    assert before.endswith("Host *\n\tCompression no\n") and before.count("Include") == 1
    ada("config-ssh")
    assert machine.config.read_text() == before


def test_a_configuration_that_is_a_link_stays_one(home, tmp_path):
    (home.folder / ".ssh").mkdir()
    (tmp_path / "dotfiles").write_text("Host x\n")
    (home.folder / ".ssh" / "config").symlink_to(tmp_path / "dotfiles")
    home("config-ssh")
    assert (home.folder / ".ssh" / "config").is_symlink()
    assert re.match(r'Include "/.*/config"\nHost x\n', (tmp_path / "dotfiles").read_text())


def test_several_at_once_make_one_set_of_keys(build, tmp_path):
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    running = [subprocess.Popen([build / "fsa", "config-ssh"], env=env, stdout=subprocess.DEVNULL)
               for _ in range(8)]
    assert [process.wait(60) for process in running] == [0] * 8
    keys = tmp_path / ".config" / "fsa" / "ssh"
    public = (keys / "authority.pub").read_text()
    assert (keys / "known_hosts").read_text() == f"@cert-authority *.fsa {public}"
