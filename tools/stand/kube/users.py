"""Users of the stand: namespaces and rights as Sealos grants them, and their kubeconfig.

A user is a ServiceAccount in the namespace user-system, which they cannot access, with a Role in
their own namespace and no rights elsewhere.
"""

import base64

import yaml

HOME = "user-system"  # where the users' ServiceAccounts are

QUOTA = {"limits.cpu": "16", "limits.memory": "64Gi", "requests.storage": "300Gi", "pods": "200"}
LIMITS = {"cpu": "50m", "memory": "64Mi", "ephemeral-storage": "100Mi"}

ROLES = {
    "owner": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}],
    "developer": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list", "watch"]}],
}


def make_namespace(api, name, enforce="baseline", quota=None):
    """Makes a namespace like those of Sealos: Pod Security, default limits, a quota."""
    levels = {"enforce": enforce, "warn": "restricted"}
    labels = {f"pod-security.kubernetes.io/{mode}": level for mode, level in levels.items()}
    api.apply(f"/api/v1/namespaces/{name}", _object("v1", "Namespace", name, labels=labels))
    limit = {"type": "Container", "default": LIMITS, "defaultRequest": LIMITS}
    _apply(api, name, "limitranges", _object("v1", "LimitRange", name, spec={"limits": [limit]}))
    hard = {"hard": {**QUOTA, **(quota or {})}}
    _apply(api, name, "resourcequotas", _object("v1", "ResourceQuota", name, spec=hard))


def make_user(api, name, namespace, role="owner"):
    """Makes the ServiceAccount and its rights in one namespace."""
    api.apply(f"/api/v1/namespaces/{HOME}", _object("v1", "Namespace", HOME))
    _apply(api, HOME, "serviceaccounts", _object("v1", "ServiceAccount", name))
    rbac = "rbac.authorization.k8s.io/v1"
    _apply(api, namespace, "roles", _object(rbac, "Role", role, rules=ROLES[role]))
    binding = _object(
        rbac,
        "RoleBinding",
        name,
        roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role},
        subjects=[{"kind": "ServiceAccount", "name": name, "namespace": HOME}],
    )
    _apply(api, namespace, "rolebindings", binding)


def delete_user(api, name):
    """Deletes the ServiceAccount: every token of the user answers 401 from then on."""
    api("DELETE", f"/api/v1/namespaces/{HOME}/serviceaccounts/{name}")


def issue_token(api, name, lifetime):
    """Returns a token that expires after `lifetime` seconds; the API server allows no less than 600."""
    path = f"/api/v1/namespaces/{HOME}/serviceaccounts/{name}/token"
    return api("POST", path, {"spec": {"expirationSeconds": lifetime}})["status"]["token"]


def kubeconfig(server, ca_data, name, namespace, token):
    """Returns YAML in the form that the Sealos desktop gives its apps."""
    context = f"{name}@sealos"
    ca = base64.b64encode(ca_data.encode()).decode()
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {"name": "sealos", "cluster": {"server": server, "certificate-authority-data": ca}}
            ],
            "users": [{"name": name, "user": {"token": token}}],
            "contexts": [
                {
                    "name": context,
                    "context": {"cluster": "sealos", "user": name, "namespace": namespace},
                }
            ],
            "current-context": context,
        },
        sort_keys=False,
        width=float("inf"),
    )


def _object(api_version, kind, name, labels=None, **rest):
    metadata = {"name": name, **({"labels": labels} if labels else {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **rest}


def _apply(api, namespace, resource, obj):
    group = "/api/" if "/" not in obj["apiVersion"] else "/apis/"
    name = obj["metadata"]["name"]
    api.apply(f"{group}{obj['apiVersion']}/namespaces/{namespace}/{resource}/{name}", obj)
