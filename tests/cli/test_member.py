"""Tests fsa's commands for members of projects."""

import pytest

from own_machine import Home, register


@pytest.fixture
def kim(build, served, tmp_path, request):
    """Another person, who is logged in; each test has one of their own."""
    name = f"kim{abs(hash(request.node.name)) % 10**9}"
    _, token = register(served, name)
    fsa = Home(build, tmp_path)
    fsa("login", served.url, "--token", input=token + "\n")
    fsa.name = name
    return fsa


def roles(fsa):
    return {member["name"]: member["role"] for member in fsa.json("member", "list", "shop")["items"]}


def test_somebody_joins_by_a_link_and_leaves(ada, kim):
    link = ada.json("member", "invite", "shop", "editor")["link"]
    assert kim.json("join", link)["role"] == "editor"
    assert roles(ada) == roles(kim) == {"ada": "owner", kim.name: "editor"}
    assert [(p["name"], p["role"], p["owner"]) for p in kim.json("projects")] == [("shop", "editor", "ada")]
    assert "editor" in kim("projects").stdout
    kim("delete", "shop", "--yes", status=5)
    kim("join", link, status=5)  # it works once
    kim("leave", "shop")
    assert kim.json("projects") == []
    assert roles(ada) == {"ada": "owner"}


def test_the_owner_changes_roles_and_removes(ada, kim):
    invited = ada.json("member", "invite", "shop", "viewer", kim.name)
    assert (invited["name"], invited["role"], invited["link"]) == (kim.name, "viewer", None)
    kim("member", "list", "shop", status=4)  # not before they accept
    link = ada.json("member", "invite", "shop", "viewer")["link"]
    kim("join", link.rsplit("/", 1)[1])
    kim("stop", "shop", status=5)
    ada("member", "role", "shop", kim.name, "editor")
    assert roles(ada)[kim.name] == "editor"
    ada("member", "role", "shop", kim.name, "owner", status=1)
    kim("member", "remove", "shop", "ada", status=5)
    ada("member", "remove", "shop", "nobody", status=4)
    ada("member", "remove", "shop", kim.name)
    kim("status", "shop", status=4)
