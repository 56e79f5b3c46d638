"""A node for kubesim: its pods are containers of this machine, run by runc.

    unshare --mount --pid --fork --kill-child --mount-proc python3 -m stand.kubelet CONFIG.json

It does the work of a kubelet, a network plugin, a policy agent and an ingress controller, for one node
and for the features that our manifests use. A few times a second it reads the desired objects from
kubesim, and writes the results to the pods' statuses.

It is the first process of its namespaces, so all mounts, links and processes end with it. Cgroups do
not; whoever ends the node removes those (stand/containers.py).
"""
