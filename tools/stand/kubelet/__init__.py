"""A node for kubesim: its pods are containers of this machine, run by runc.

    unshare --mount --pid --fork --kill-child --mount-proc python3 -m stand.kubelet CONFIG.json

It does what a kubelet, a network plugin, a policy agent and an ingress controller do, for one node
and for what our manifests use of them. It asks kubesim what is desired a few times a second, and
writes into the pods' statuses what became of it.

It is the first process of its namespaces, so all mounts, links and processes end with it. Only cgroups
do not, which is why whoever ends it removes those (stand/containers.py).
"""
