"""Plays the policy agent of a cluster: what NetworkPolicies say, as rules of nftables.

Only what our policies use is known here; anything else is an error. It is done once, for the pods
that there are: an agent would do it again with every change. Real agents (Calico, Cilium,
kube-network-policies, …) are not to be had as Debian packages or as modules of the Go proxy.
"""

import ipaddress

TABLE = "inet fsa_policies"

_FRAME = """\
table {table} {{}}
delete table {table}
table {table} {{
	set from {{ type ipv4_addr; {from_elements} }}
	set to {{ type ipv4_addr; {to_elements} }}
	chain egress {{
{egress}
		drop
	}}
	chain ingress {{
{ingress}
		drop
	}}
	chain forward {{
		type filter hook forward priority filter;
		ct state established,related accept
		ip saddr @from jump egress
		ip daddr @to jump ingress
	}}
	chain input {{
		type filter hook input priority filter;
		ct state established,related accept
		ip saddr @from jump egress
	}}
}}
"""


def ruleset(policies, pods):
    """The text for `nft -f` that enforces these policies among these pods."""
    rules = {"Egress": [], "Ingress": []}
    isolated = {"Egress": set(), "Ingress": set()}
    for policy in policies:
        namespace, spec = policy["metadata"]["namespace"], policy["spec"]
        own = _addresses(pods, namespace, spec["podSelector"])
        for direction, peers, far in (("Egress", "to", "daddr"), ("Ingress", "from", "saddr")):
            if not own or direction not in spec["policyTypes"]:
                continue
            isolated[direction] |= own
            near = f"ip {'saddr' if far == 'daddr' else 'daddr'} {_set(own)}"
            for rule in spec.get(direction.lower(), []):
                _know(rule, peers, "ports")
                for peer in _peers(rule.get(peers), far, pods, namespace):
                    for port in _ports(rule.get("ports")):
                        rules[direction].append(f"\t\t{near} {peer} {port} return")
    return _FRAME.format(
        table=TABLE,
        from_elements=_elements(isolated["Egress"]),
        to_elements=_elements(isolated["Ingress"]),
        egress="\n".join(rules["Egress"]),
        ingress="\n".join(rules["Ingress"]),
    )


def _addresses(pods, namespace, selector):
    """The addresses of a namespace's pods that have these labels."""
    _know(selector, "matchLabels")
    wanted = selector.get("matchLabels", {}).items()
    return {
        pod["status"]["podIP"]
        for pod in pods
        if pod["metadata"]["namespace"] == namespace and pod["status"].get("podIP")
        and wanted <= pod["metadata"].get("labels", {}).items()
    }


def _peers(peers, far, pods, namespace):
    """One condition a peer; without peers, anybody."""
    for peer in peers or [{}]:
        _know(peer, "ipBlock", "podSelector")
        if "podSelector" in peer:
            addresses = _addresses(pods, namespace, peer["podSelector"])
            if addresses:
                yield f"ip {far} {_set(addresses)}"
        elif "ipBlock" in peer:
            block = peer["ipBlock"]
            if ipaddress.ip_network(block["cidr"]).version == 4:  # as all pods' addresses are here
                yield f"ip {far} {block['cidr']} ip {far} != {_set(block.get('except', ()))}"
        else:
            yield ""


def _ports(ports):
    for port in ports or [{}]:
        _know(port, "protocol", "port")
        yield f"{port['protocol'].lower()} dport {port['port']}" if port else ""


def _know(thing, *members):
    unknown = set(thing) - set(members)
    assert not unknown, f"{unknown} of a NetworkPolicy is not played here"


def _set(items):
    return "{ " + ", ".join(sorted(items)) + " }"


def _elements(addresses):
    return f"elements = {_set(addresses)}" if addresses else ""
