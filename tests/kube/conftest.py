"""Gives every test its own user and namespace in the cluster of ../conftest.py."""

import itertools
import time

import pytest
from stand.kube.api import Api

_numbers = itertools.count(1)


class User:
    """A person with a namespace: their Api, and paths in that namespace."""

    def __init__(self, cluster, name, **options):
        self.name = name
        self.namespace = f"ns-{name}"
        self.kubeconfig = cluster.create_user(name, **options)
        self.api = Api.from_kubeconfig(self.kubeconfig)

    def path(self, group, resource, name=None):
        prefix = "/api/v1" if group == "v1" else f"/apis/{group}"
        parts = [prefix, "namespaces", self.namespace, resource, *([name] if name else [])]
        return "/".join(parts)

    def get(self, group, resource, name):
        return self.api.get(self.path(group, resource, name))

    def items(self, group, resource):
        return self.api("GET", self.path(group, resource))["items"]

    def apply(self, resource, obj):
        path = self.path(obj["apiVersion"], resource, obj["metadata"]["name"])
        return self.api.apply(path, obj, manager="test")

    def delete(self, group, resource, name):
        return self.api("DELETE", self.path(group, resource, name))


@pytest.fixture
def new_user(cluster):
    """new_user(enforce="restricted", quota={"pods": "1"}, …): makes users."""

    def make(**options):
        return User(cluster, f"user{next(_numbers)}", **options)

    return make


@pytest.fixture
def user(new_user):
    return new_user(enforce="restricted")


@pytest.fixture
def eventually():
    """eventually(check): waits until check() returns something true, and returns that."""

    def wait(check, seconds=120):
        end = time.monotonic() + seconds
        while not (result := check()):
            assert time.monotonic() < end, f"not within {seconds} s: {check.__doc__ or check}"
            time.sleep(0.05)
        return result

    return wait
