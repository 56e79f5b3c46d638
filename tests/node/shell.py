"""Shells in sandboxes on the node, for tests that need no browser."""

from stand.terminal import Terminal, connect


def pod(project):
    return project.person.namespace.pod(project.sandbox()["name"])


def shell(project):
    """Opens a terminal of the project's sandbox."""
    query = "?" + project.sandbox()["ttydUrl"].partition("?")[2]
    return Terminal(connect(pod(project)["status"]["podIP"], 7681), query)
