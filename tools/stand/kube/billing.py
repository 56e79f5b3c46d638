"""What Sealos does to a namespace whose owner is in debt.

Its webhook denies all creations and changes by the user; here a policy of the API server itself does
that, with the same message. Its controller scales down and removes the addresses.
"""

LABEL = "debt.sealos/status"
SUSPENDED = "Suspend"
MESSAGE = "40001: account balance less than 0, now account is -1.00"

_GROUP = "admissionregistration.k8s.io/v1"
_NAME = "debt.sealos.io"


def install(api):
    """Installs the policy; it applies to users in namespaces with the label."""
    base = f"/apis/{_GROUP}/"
    api.apply(f"{base}validatingadmissionpolicies/{_NAME}", _policy())
    api.apply(f"{base}validatingadmissionpolicybindings/{_NAME}", _binding())


def suspend(api, namespace):
    _set_label(api, namespace, SUSPENDED)
    _patch_all(api, f"/apis/apps/v1/namespaces/{namespace}/statefulsets", {"replicas": 0})
    ingresses = f"/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses"
    _patch_all(api, ingresses, {"ingressClassName": "pause"})


def resume(api, namespace):
    """Allows changes again; scaling up again is left to the owners."""
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
