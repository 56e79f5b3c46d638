"""Tests the rules that are made from tenants' policies for a program that runs as root."""

from types import SimpleNamespace

import pytest

from stand.kubelet import policy

NAMESPACES = [{"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}]
PODS = [SimpleNamespace(namespace=name, labels={"app": "x"}, address=f"10.244.0.{number}")
        for number, name in enumerate("ab", 16)]


def rules(*ingress):
    made = [{"metadata": {"namespace": "a"}, "spec": {"podSelector": {}, "policyTypes": ["Ingress"],
                                                     "ingress": list(ingress)}}]
    return policy.rules(made, NAMESPACES, PODS, ["192.0.2.1"])


def returns(text):
    """Returns what is allowed to the only pod that is selected."""
    chain = text.split("chain ingress0 {")[1].split("}")[0]
    return [line.strip() for line in chain.splitlines() if line.strip() not in ("", "drop")]


@pytest.mark.parametrize("strange", [
    {"ports": [{"protocol": "tcp dport 1 return\n}\nchain forward { policy accept; }\nchain x {", "port": 1}]},
    {"ports": [{"port": "http"}]},
    {"from": [{"ipBlock": {"cidr": "10.0.0.0/8 return\n}"}}]},
    {"from": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["nowhere"]}}]},
])
def test_an_unknown_rule_allows_nothing_and_affects_no_others(strange):
    assert rules(strange) == rules()
    assert returns(rules(strange, {"ports": [{"port": 3000}]})) == ["tcp dport 3000 return"]


def test_an_address_within_its_block_is_the_block():
    assert returns(rules({"from": [{"ipBlock": {"cidr": "10.1.2.3/8"}}]})) == ["ip saddr 10.0.0.0/8 return"]
    assert returns(rules({"from": [{"ipBlock": {"cidr": "1.2.3.4/0"}}]})) == ["return"]
