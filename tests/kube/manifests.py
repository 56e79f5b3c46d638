"""Objects like those of a sandbox and its database, as small as the tests allow."""

RESTRICTED_POD = {"runAsNonRoot": True, "runAsUser": 1000,
                  "seccompProfile": {"type": "RuntimeDefault"}}
RESTRICTED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def stateful_set(name, image="example.com/sandbox:1", cpu="200m", annotations=None, replicas=1):
    container = {
        "name": "sandbox",
        "image": image,
        "securityContext": RESTRICTED,
        "resources": {"requests": {"cpu": cpu}, "limits": {"cpu": cpu}},
        "volumeMounts": [{"name": "home", "mountPath": "/home"}],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "serviceName": name,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}, "annotations": annotations or {}},
                "spec": {"securityContext": RESTRICTED_POD, "containers": [container]},
            },
            "volumeClaimTemplates": [{"metadata": {"name": "home"}, "spec": _claim("1Gi")}],
        },
    }


def database(name, replicas=1, policy="Delete", **spec):
    component = {
        "componentDefRef": "postgresql",
        "name": "postgresql",
        "monitor": True,
        "replicas": replicas,
        "resources": {"limits": {"cpu": "1", "memory": "1Gi"}},
        "switchPolicy": {"type": "Noop"},
        "volumeClaimTemplates": [{"name": "data", "spec": _claim("3Gi")}],
    }
    return {
        "apiVersion": "apps.kubeblocks.io/v1alpha1",
        "kind": "Cluster",
        "metadata": {"name": name},
        "spec": {
            "clusterDefinitionRef": "postgresql",
            "clusterVersionRef": "postgresql-14.8.0",
            "terminationPolicy": policy,
            "affinity": {
                "podAntiAffinity": "Preferred",
                "tenancy": "SharedNode",
                "topologyKeys": ["kubernetes.io/hostname"],
            },
            "componentSpecs": [component],
            **spec,
        },
    }


def _claim(size):
    return {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}
