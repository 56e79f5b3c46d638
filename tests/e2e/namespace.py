"""Shows what is in a namespace, as the cluster's administrator."""

import base64
import json

from stand.kube.api import ApiError

MANAGED = "app.kubernetes.io%2Fmanaged-by%3Dfullstack-agent"
RESOURCE = "project.fullstackagent.io/resource"

# Kind → the path of its objects in a namespace.
PLACES = {
    "StatefulSet": "/apis/apps/v1/namespaces/{}/statefulsets",
    "Pod": "/api/v1/namespaces/{}/pods",
    "Service": "/api/v1/namespaces/{}/services",
    "Ingress": "/apis/networking.k8s.io/v1/namespaces/{}/ingresses",
    "NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
    "Secret": "/api/v1/namespaces/{}/secrets",
    "PersistentVolumeClaim": "/api/v1/namespaces/{}/persistentvolumeclaims",
    "ServiceAccount": "/api/v1/namespaces/{}/serviceaccounts",
    "Role": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/roles",
    "RoleBinding": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/rolebindings",
    "Cluster": "/apis/apps.kubeblocks.io/v1alpha1/namespaces/{}/clusters",
    "Cluster v1": "/apis/apps.kubeblocks.io/v1/namespaces/{}/clusters",
}

# Objects that come and go by themselves.
FLEETING = {"Event", "Lease", "EndpointSlice", "Endpoints"}


class Namespace:
    def __init__(self, cluster, name):
        self.cluster = cluster
        self.name = name
        self._listable = None

    def path(self, kind, name=None):
        return PLACES[kind].format(self.name) + (f"/{name}" if name else "")

    def get(self, kind, name):
        """Returns the object, or None."""
        return self.cluster.admin.get(self.path(kind, name))

    def items(self, kind, selector=None):
        """What there is of a kind; nothing where the cluster does not have it."""
        query = f"?labelSelector={selector}" if selector else ""
        try:
            return self.cluster.api("GET", self.path(kind) + query)["items"]
        except ApiError as error:
            if error.status == 404:
                return []
            raise

    def patch(self, kind, name, change):
        return self.cluster.admin.patch(self.path(kind, name), change)

    def delete(self, kind, name):
        return self.cluster.api("DELETE", self.path(kind, name))

    def owned(self, resource_id):
        """Returns kind → names of the objects that are labelled with a resource's id."""
        found = {kind: self.items(kind, f"{RESOURCE}%3D{resource_id}") for kind in PLACES}
        return {
            kind: sorted(item["metadata"]["name"] for item in items)
            for kind, items in found.items()
            if items
        }

    def pod(self, name):
        """Returns the StatefulSet's pod, or None."""
        return self.get("Pod", f"{name}-0")

    def secret(self, name):
        """Returns the Secret's values in plain text; {} if it does not exist."""
        data = (self.get("Secret", name) or {}).get("data") or {}
        return {key: base64.b64decode(value).decode() for key, value in data.items()}

    def describe(self):
        """Describes the state of the workloads, for the message of a failed test."""
        lines = [
            f"{kind} {item['metadata']['name']}: {json.dumps(item.get('status'))}"
            for kind in ("StatefulSet", "Cluster", "Pod")
            for item in self.items(kind)
        ]
        events = self.cluster.api("GET", f"/api/v1/namespaces/{self.name}/events")["items"]
        lines += [
            f"{e['type']} {e['reason']} {e['involvedObject']['name']}: {e['message']}"
            for e in events if e["type"] != "Normal"
        ]
        return "\n".join(lines)

    def everything(self):
        """Returns (kind, name) of every object of every kind, except for the fleeting ones."""
        found = set()
        for path in self._kinds():
            try:
                answer = self.cluster.api("GET", path.format(self.name))
            except ApiError as e:
                if e.status in (404, 405):  # a kind that cannot be listed
                    continue
                raise
            kind = answer["kind"].removesuffix("List")
            if kind not in FLEETING:
                found |= {(kind, item["metadata"]["name"]) for item in answer["items"]}
        return found

    def _kinds(self):
        if self._listable is None:
            api = self.cluster.admin
            groups = ["/api/v1"] + [
                f"/apis/{group['preferredVersion']['groupVersion']}"
                for group in api("GET", "/apis")["groups"]
            ]
            self._listable = [
                f"{group}/namespaces/{{}}/{resource['name']}"
                for group in groups
                for resource in api("GET", group)["resources"]
                if resource["namespaced"] and "list" in resource["verbs"]
            ]
        return self._listable
