"""What Sealos does to a namespace whose owner is in debt.

Its webhook denies whatever the user would create or change; a policy of the API server itself does
the same here, with the same words. Its controller scales down and takes the addresses away.
"""

LABEL = "debt.sealos/status"
SUSPENDED = "Suspend"
MESSAGE = "40001: account balance less than 0, now account is -1.00"

_GROUP = "admissionregistration.k8s.io/v1"
_NAME = "debt.sealos.io"


def install(api):
    """The policy; it holds for users in namespaces that have the label."""
    base = f"/apis/{_GROUP}/"
    api.apply(f"{base}validatingadmissionpolicies/{_NAME}", _policy())
    api.apply(f"{base}validatingadmissionpolicybindings/{_NAME}", _binding())


def suspend(api, namespace):
    _set_label(api, namespace, SUSPENDED)
    _patch_all(api, f"/apis/apps/v1/namespaces/{namespace}/statefulsets", {"replicas": 0})
    ingresses = f"/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses"
    _patch_all(api, ingresses, {"ingressClassName": "pause"})


def resume(api, namespace):
    """Changes are allowed again; bringing things back is up to whoever owns them."""
    _set_label(api, namespace, None)


def _set_label(api, namespace, value):
    api.patch(f"/api/v1/namespaces/{namespace}", {"metadata": {"labels": {LABEL: value}}})


def _patch_all(api, path, spec):
    for item in api("GET", path)["items"]:
        api.patch(f"{path}/{item['metadata']['name']}", {"spec": spec})


def _policy():
    everything = {
        "apiGroups": ["*"],
        "apiVersions": ["*"],
        "resources": ["*"],
        "operations": ["CREATE", "UPDATE"],
        "scope": "Namespaced",
    }
    is_user = "request.userInfo.username.startsWith('system:serviceaccount:user-system:')"
    return {
        "apiVersion": _GROUP,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": _NAME},
        "spec": {
            "matchConstraints": {"resourceRules": [everything]},
            "matchConditions": [{"name": "user", "expression": is_user}],
            "validations": [
                {"expression": "false", "message": MESSAGE, "reason": "Forbidden"}
            ],
        },
    }


def _binding():
    return {
        "apiVersion": _GROUP,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": _NAME},
        "spec": {
            "policyName": _NAME,
            "validationActions": ["Deny"],
            "matchResources": {"namespaceSelector": {"matchLabels": {LABEL: SUSPENDED}}},
        },
    }
