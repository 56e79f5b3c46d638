"""NetworkPolicies as rules of nftables. Pure.

A packet between pods must be allowed by a rule for its sender and by one for its receiver, if policies
select them; `return` continues with the next check, and a packet that no rule allows is dropped. The node
itself, where the probes and the ingress are, reaches every pod, and no pod reaches it. Neither does a pod reach
the machine: what slirp4netns carries comes from the machine's own address, to which much is open.
"""

from ipaddress import ip_network

PROTOCOLS = ("tcp", "udp", "sctp")
# Reachable only by the machine itself: loopback, unassigned and link-local addresses (where clouds serve credentials).
NEVER = ("127.0.0.0/8", "0.0.0.0/8", "169.254.0.0/16")
HEAD = """\
flush ruleset
table ip6 pods {
	chain input { type filter hook input priority 0; iifname "pod*" drop; }
	chain forward { type filter hook forward priority 0; policy drop; }
}
table ip pods {
	chain outside {
		type nat hook postrouting priority 100;
		oifname "tap0" masquerade
	}
	chain input {
		type filter hook input priority 0;
		ct state established,related accept
		iifname "pod*" drop
	}
"""


def rules(policies, namespaces, pods, machine):
    """Returns the whole rule set; `machine`: the machine's own addresses."""
    pods = [pod for pod in pods if pod.address]
    labels = {n["metadata"]["name"]: n["metadata"].get("labels", {}) for n in namespaces}
    text, jumps = [HEAD], []
    for number, pod in enumerate(sorted(pods, key=lambda pod: pod.address)):
        for direction, address in (("Egress", "saddr"), ("Ingress", "daddr")):
            applying = [p for p in policies if _applies(p, direction, pod)]
            if not applying:
                continue
            chain = f"{direction.lower()}{number}"
            lines = [line for p in applying for rule in p["spec"].get(direction.lower()) or []
                     for line in _allowed(rule, direction, p["metadata"]["namespace"], labels, pods)]
            text.append(_chain(chain, [*lines, "drop"]))
            jumps.append(f"ip {address} {pod.address} jump {chain}")
    head = ["type filter hook forward priority 0; policy accept;",
            f"oifname \"tap0\" ip daddr {{ {', '.join(sorted({*NEVER, *machine}))} }} drop",
            "ct state established,related accept"]
    return "".join([*text, _chain("forward", [*head, *jumps]), "}\n"])


def _chain(name, lines):
    body = "".join(f"\t\t{line}\n" for line in lines)
    return f"\tchain {name} {{\n{body}\t}}\n"


def _applies(policy, direction, pod):
    spec = policy["spec"]
    types = spec.get("policyTypes") or ["Ingress"]
    return (policy["metadata"]["namespace"] == pod.namespace and direction in types
            and selects(spec.get("podSelector") or {}, pod.labels))


def _allowed(rule, direction, namespace, labels, pods):
    """Returns the rule's lines. A rule that is not understood allows nothing, and does not affect other pods."""
    try:
        return list(_lines(rule, direction, namespace, labels, pods))
    except (AttributeError, KeyError, TypeError, ValueError):
        return []


def _lines(rule, direction, namespace, labels, pods):
    peers = rule.get("to" if direction == "Egress" else "from")
    address = "daddr" if direction == "Egress" else "saddr"
    ports = [_port(port) for port in rule.get("ports") or [{}]]
    for match in _peers(peers, address, namespace, labels, pods) if peers else [""]:
        for port in ports:
            yield " ".join(word for word in (match, port, "return") if word)


def _peers(peers, address, namespace, labels, pods):
    for peer in peers:
        if block := peer.get("ipBlock"):
            if ":" not in block["cidr"]:
                yield _block(block, address)
            continue
        found = [pod.address for pod in pods if _is_peer(peer, namespace, labels, pod)]
        if found:
            yield f"ip {address} {{ {', '.join(found)} }}"


def _block(block, address):
    cidr = ip_network(block["cidr"], strict=False)
    match = f"ip {address} {cidr}" if cidr.prefixlen > 0 else ""
    if without := [str(ip_network(each, strict=False)) for each in block.get("except") or []]:
        match += f" ip {address} != {{ {', '.join(without)} }}"
    return match.strip()


def _is_peer(peer, namespace, labels, pod):
    if "namespaceSelector" in peer:
        if not selects(peer["namespaceSelector"], labels.get(pod.namespace, {})):
            return False
    elif pod.namespace != namespace:
        return False
    return selects(peer.get("podSelector") or {}, pod.labels)


def _port(port):
    if not port:
        return ""
    protocol = port.get("protocol", "TCP").lower()
    if protocol not in PROTOCOLS:
        raise ValueError(f"{protocol!r} is not a protocol")
    if "port" not in port:
        return f"meta l4proto {protocol}"
    return f"{protocol} dport {int(port['port'])}"


def selects(selector, labels):
    """Whether a selector matches labels. Only matchLabels is supported, as our manifests use no expressions; any
    other selector matches nothing."""
    if selector.get("matchExpressions"):
        return False
    return (selector.get("matchLabels") or {}).items() <= labels.items()
