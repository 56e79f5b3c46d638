"""Tests what the ServiceAccount of a database's pods may do, on the real API server.

Whoever has a shell in such a pod (COPY … TO PROGRAM is one) has its token.
"""

import pytest
from stand.kube.api import ApiError
from stand.kube.users import HOME
from test_manifests import apply, golden, live

RBAC = "rbac.authorization.k8s.io/v1"

NEEDED = {
    # Patroni: its leader, its configuration, the labels of its pods
    ("", "endpoints"): "create get list patch update watch",
    ("", "configmaps"): "create get list patch update watch",
    ("", "pods"): "get list patch update watch",
    # KubeBlocks' agent
    ("", "events"): "create",
    ("apps.kubeblocks.io", "clusters"): "get list",
    ("apps.kubeblocks.io", "clusters/status"): "get",
    ("apps.kubeblocks.io", "opsrequests/status"): "get patch",
    # backups
    ("dataprotection.kubeblocks.io", "backups"): "create get",
    ("dataprotection.kubeblocks.io", "backups/status"): "get patch update",
}

TOO_MUCH = {
    ("", "secrets"): "create get list",
    ("", "pods"): "create delete",
    ("", "pods/exec"): "create get",
    ("", "pods/log"): "get",
    ("", "persistentvolumeclaims"): "delete",
    ("", "serviceaccounts/token"): "create",
    ("apps", "statefulsets"): "create patch",
    ("apps.kubeblocks.io", "clusters"): "create delete patch",
    ("networking.k8s.io", "networkpolicies"): "delete patch",
    ("rbac.authorization.k8s.io", "roles"): "create patch",
    ("rbac.authorization.k8s.io", "rolebindings"): "create",
}


def allowed(cluster, user, account, table, namespace=None):
    """Returns the (group, resource, verb) of the table that the account may use."""
    found = set()
    for (group, resource), verbs in table.items():
        for verb in verbs.split():
            name, _, part = resource.partition("/")
            review = cluster.admin("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", {
                "apiVersion": "authorization.k8s.io/v1",
                "kind": "SubjectAccessReview",
                "spec": {
                    "user": f"system:serviceaccount:{user.namespace}:{account}",
                    "resourceAttributes": {
                        "namespace": namespace or user.namespace,
                        "group": group, "resource": name, "subresource": part, "verb": verb,
                    },
                },
            })
            if review["status"]["allowed"]:
                found.add((group, resource, verb))
    return found


def every(table):
    return {(*place, verb) for place, verbs in table.items() for verb in verbs.split()}


def companions(user):
    """Returns the ServiceAccount, the Role and the RoleBinding of a database."""
    return golden(user, "database")[:3]


def test_a_database_may_do_what_kubeblocks_needs_and_nothing_else(cluster, user, eventually):
    objects = companions(user)
    apply(user, objects)
    account = objects[0]["metadata"]["name"]
    eventually(lambda: allowed(cluster, user, account, NEEDED) == every(NEEDED))
    assert allowed(cluster, user, account, TOO_MUCH) == set()
    assert allowed(cluster, user, account, NEEDED, "kube-system") == set()


def test_an_older_versions_role_is_narrowed(user, cluster, eventually):
    objects = companions(user)
    older = {**objects[1], "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}
    apply(user, [objects[0], older, objects[2]])
    account = objects[0]["metadata"]["name"]
    eventually(lambda: allowed(cluster, user, account, TOO_MUCH) == every(TOO_MUCH))
    apply(user, objects)
    assert live(user, objects[1])["rules"] == objects[1]["rules"]
    eventually(lambda: allowed(cluster, user, account, TOO_MUCH) == set())
    assert allowed(cluster, user, account, NEEDED) == every(NEEDED)


def test_these_rights_suffice_for_a_database(cluster, new_user, eventually):
    """Users can only grant rights that they have: a Role that allows everything would require all rights."""
    user = new_user(role="developer")
    objects = companions(user)
    rules = [*objects[1]["rules"],
             {"apiGroups": ["", "rbac.authorization.k8s.io"],
              "resources": ["serviceaccounts", "roles", "rolebindings"],
              "verbs": ["create", "patch"]}]
    of = {"apiVersion": RBAC, "metadata": {"name": "few"}}
    cluster.admin.apply(user.path(RBAC, "roles", "few"), {**of, "kind": "Role", "rules": rules})
    cluster.admin.apply(user.path(RBAC, "rolebindings", "few"), {
        **of, "kind": "RoleBinding",
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "few"},
        "subjects": [{"kind": "ServiceAccount", "name": user.name, "namespace": HOME}],
    })

    def applied():
        """the rights of a new RoleBinding are in force, which takes a moment"""
        try:
            return apply(user, objects)
        except ApiError as e:
            assert e.status == 403
            return None

    eventually(applied)
    everything = {**objects[1], "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}
    with pytest.raises(ApiError) as refused:
        apply(user, [everything])
    assert refused.value.status == 403
