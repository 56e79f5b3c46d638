"""Everything running on this machine, with a demo user and a project. See tools/quickstart.

When run again, it picks up where it left off: what runs is left alone, what died is restarted, and changed
sources are rebuilt and their programs restarted.
"""

import argparse
import contextlib
import fcntl
import json
import os
import signal
import sys
from pathlib import Path

import requests

from .console import Console
from .demo import Demo, DemoError
from .kube.api import ApiError
from .cluster import ClusterError
from .machine import Machine
from .process import StandError
from .state import State, StateError

_EXPECTED = (DemoError, StandError, StateError, ClusterError, ApiError, OSError,
             requests.RequestException)


def main(args=None):
    options = _parser().parse_args(args)
    os.umask(0o022)  # servers that run as other users read what is installed here
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # tools/quickstart blocked it
        state = State(options.state)
        if state.is_new() and (options.status or options.stop or options.purge):
            raise StateError(f"nothing has been started in {state.directory}: tools/quickstart does")
        if options.status:
            return _status(state, options.json)
        state.make()
        with _alone(state):
            if options.stop or options.purge:
                return _stop(state, options.purge)
            return _start(state, options)
    except _EXPECTED as e:
        print(f"\nquickstart: {e}", file=sys.stderr)
        code = 1
    except KeyboardInterrupt:
        print(file=sys.stderr)
        code = 130  # tools/quickstart prints what to do next
    _tell_what_runs(options.state)
    return code


def _parser():
    default = os.environ.get("FSA_STATE") or f"/var/tmp/fullstack-agent-quickstart-{os.geteuid()}"
    parser = argparse.ArgumentParser(
        prog="tools/quickstart",
        description="Installs, builds and starts everything on 127.0.0.1, creates a demo user and a "
        "project, and follows it to RUNNING.",
        epilog=f"Everything lies in one directory, {default}; FSA_STATE names another. Only the node that sudo "
        "starts has one below /var/lib.",
    )
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--stop", action="store_true", help="end everything; data is kept")
    action.add_argument("--purge", action="store_true", help="end everything and remove its data")
    action.add_argument("--status", action="store_true", help="say what runs where; 1 if not all")
    parser.add_argument("--json", action="store_true", help="with --status: as JSON")
    cluster = parser.add_mutually_exclusive_group()
    cluster.add_argument("--cluster", choices=("sim", "real"),
                         help="sim, the default: a Kubernetes API server in memory, built in "
                         "seconds; real: the real one, which the first time is built for minutes")
    cluster.add_argument("--kubeconfig", metavar="FILE", type=Path,
                         help="use this cluster, as the user it names, and start none")
    parser.add_argument("--no-database", action="store_true",
                        help="a project without PostgreSQL")
    parser.add_argument("--option", metavar="NAME=VALUE", action="append", default=[],
                        help="a line of fsa.conf, such as ingress_domain=example.org; nothing after "
                        "the = takes it out")
    parser.set_defaults(state=Path(default))
    return parser


@contextlib.contextmanager
def _alone(state):
    """Only one run at a time: a second one would build and start the same things."""
    with open(state.directory / "lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StateError("another tools/quickstart is at work here") from None
        yield


def _start(state, options):
    state.choose_cluster(options.cluster)
    if state.is_new():
        state.save()  # from here on there is something to stop
    state.choose(options.kubeconfig, options.no_database, options.option)
    console = Console()
    machine = Machine(state, console)
    machine.start()
    demo = Demo(state, machine, console)
    project = demo.run()
    _tell(console, state, machine, project)
    return 0


def _tell(console, state, machine, project):
    about = machine.about()
    sandbox = (project.get("sandboxes") or [{}])[0]
    console.line()
    console.line(f"site        {about['site']}")
    console.line(f"log in      {about['user']} / {about['password']}")
    console.line(f"project     {project['name']}, {project['status']}")
    for label, member in (("application", "publicUrl"), ("terminal", "ttydUrl")):
        if sandbox.get(member):
            console.line(f"{label:12}{sandbox[member]}")
    if why := _why_simulated(state, machine):
        console.line(f"            (No container runs behind these two: {why}.)")
    console.line()
    console.line("tools/quickstart --status  what runs where, and the logs")
    console.line("tools/quickstart --stop    ends it all and keeps the data")
    console.line("tools/quickstart --purge   ends it all and removes the data")


def _why_simulated(state, machine):
    if state.settings["kubeconfig"]:
        return None
    if state.settings["cluster"] == "real":
        return "the nodes of this cluster are simulated"
    return machine.why_simulated


def _tell_what_runs(directory):
    """After a failed run, prints what it or an earlier one has left running."""
    with contextlib.suppress(*_EXPECTED):
        state = State(directory)
        running = [] if state.is_new() else Machine(state, Console()).running()
        if running:
            print(f"still running: {', '.join(running)}\n    tools/quickstart --stop    ends them",
                  file=sys.stderr)


def _status(state, as_json):
    about = Machine(state, Console()).about()
    everything = all(process["alive"] for process in about["processes"].values())
    if as_json:
        print(json.dumps(about, indent=2))
    else:
        for name in ("site", "user", "password", "database", "kubeconfig", "fsactl", "fsa", "state"):
            print(f"{name:12}{about[name] or '-'}")
        print(f"\n{'program':26}{'pid':>8}  log")
        for name, process in about["processes"].items():
            print(f"{name:26}{process['pid'] or 'dead':>8}  {process['log']}")
        if not everything:
            print("\nNot all of it runs: tools/quickstart starts what does not.")
    return 0 if everything else 1


def _stop(state, purge):
    console = Console()
    Machine(state, console).stop(purge)
    if purge:
        with console.step("purge") as step:
            state.purge()
            step.result = f"{state.directory} is gone"
    return 0


if __name__ == "__main__":
    sys.exit(main())
