"""Requests to which kubesim and the real API server must respond in the same way.

A case is a list of steps (method, path, body, content type, and optionally the accepted type); the response
to the last one is compared. Paths are relative to the user's namespace: "apps/v1 statefulsets/web".
"""

import copy

from manifests import database, stateful_set
from stand.kube.api import APPLY, MERGE

JSON = "application/json"
METADATA = JSON + ";as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
SET = "apps/v1 statefulsets/web"
SECRET = "v1 secrets/env"
SERVICE = "v1 services/web"
INGRESS = "networking.k8s.io/v1 ingresses/web"
POLICY = "networking.k8s.io/v1 networkpolicies/web"
CLAIM = "v1 persistentvolumeclaims/data"
BINDING = "rbac.authorization.k8s.io/v1 rolebindings/db"
DATABASE = "apps.kubeblocks.io/v1alpha1 clusters/db"
POD = "v1 pods/web"
ABSENT_UID = "00000000-0000-4000-8000-000000000000"


def web(**changes):
    """Returns a StatefulSet without pods, so that it does not change between the steps of a case."""
    obj = stateful_set("web", replicas=0)
    return change(obj, {"spec.template.metadata.annotations": None, **changes})


def change(obj, changes):
    """Returns a copy with members set, or removed if the value is None: {"spec.replicas": 2}."""
    obj = copy.deepcopy(obj)
    for path, value in changes.items():
        *parents, last = path.split(".")
        at = obj
        for part in parents:
            at = at[int(part)] if part.isdigit() else at.setdefault(part, {})
        if value is None:
            at.pop(last, None)
        else:
            at[last] = value
    return obj


def labelled(**labels):
    return web(**{"metadata.labels": labels})


def secret(**changes):
    return change({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "env"},
                   "type": "Opaque", "data": {"A": "YQ=="}}, changes)


def service(**changes):
    ports = [{"name": "app", "port": 3000}, {"name": "ttyd", "port": 7681, "targetPort": 7681}]
    return change({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
                   "spec": {"selector": {"app": "web"}, "ports": ports}}, changes)


def ingress(**changes):
    backend = {"service": {"name": "web", "port": {"number": 3000}}}
    paths = [{"path": "/", "pathType": "Prefix", "backend": backend}]
    return change({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
                   "metadata": {"name": "web"},
                   "spec": {"ingressClassName": "nginx",
                            "rules": [{"host": "a.example.com", "http": {"paths": paths}}]}},
                  changes)


def policy(**changes):
    return change({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
                   "metadata": {"name": "web"},
                   "spec": {"podSelector": {"matchLabels": {"app": "web"}},
                            "policyTypes": ["Ingress", "Egress"],
                            "egress": [{"ports": [{"port": 53, "protocol": "UDP"}]}]}}, changes)


def claim(**changes):
    return change({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
                   "metadata": {"name": "data"},
                   "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "other",
                            "resources": {"requests": {"storage": "1Gi"}}}}, changes)


def binding(role="db"):
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": {"name": "db"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role},
            "subjects": [{"kind": "ServiceAccount", "name": "db"}]}


def role():
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
            "metadata": {"name": "db"},
            "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}


def account():
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "db"}}


def pod(*containers):
    """Returns a pod with these containers, which no node runs."""
    spec = copy.deepcopy(stateful_set("web")["spec"]["template"]["spec"])
    first = spec["containers"][0]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"},
            "spec": {**spec, "containers": [{**first, "name": name} for name in containers or ("main",)],
                     "volumes": [{"name": "home", "emptyDir": {}}], "schedulerName": "nobody"}}


def apply(path, obj, manager="us", force=True):
    query = f"fieldManager={manager}&force={'true' if force else 'false'}"
    return ("PATCH", f"{path}?{query}", obj, APPLY)


def post(path, obj, query=""):
    return ("POST", path.rpartition("/")[0] + query, obj, JSON)


def put(path, obj, query=""):
    return ("PUT", path + query, obj, JSON)


def merge(path, obj, query=""):
    return ("PATCH", path + query, obj, MERGE)


def get(path):
    return ("GET", path, None, JSON)


def as_metadata(step):
    return (*step, METADATA)


def delete(path, **options):
    return ("DELETE", path, options or None, JSON)


CASES = {
    # reading
    "get, absent": [get(SET)],
    "get, unknown type": [get("v1 gadgets/a")],
    "get, unknown group": [get("none.example.com/v1 gadgets/a")],
    "list, empty": [get("apps/v1 statefulsets")],
    "list": [apply(SET, labelled(a="1")), get("apps/v1 statefulsets")],
    "list, label is there": [apply(SET, labelled(a="1")),
                             get("apps/v1 statefulsets?labelSelector=a")],
    "list, label has value": [apply(SET, labelled(a="1")),
                              get("apps/v1 statefulsets?labelSelector=a%3D1")],
    "list, label has another value": [apply(SET, labelled(a="1")),
                                      get("apps/v1 statefulsets?labelSelector=a%3D2")],
    "list, label in set": [apply(SET, labelled(a="1")),
                           get("apps/v1 statefulsets?labelSelector=a%20in%20(1,2)")],
    "list, label not in set": [apply(SET, labelled(a="1")),
                               get("apps/v1 statefulsets?labelSelector=a%20notin%20(2),b!%3D1,!c")],
    "list, selector cannot be read": [get("apps/v1 statefulsets?labelSelector=%3D%3D")],
    "list, by name": [apply(SET, web()),
                      get("apps/v1 statefulsets?fieldSelector=metadata.name%3Dweb")],
    "list, field not offered": [get("apps/v1 statefulsets?fieldSelector=spec.replicas%3D1")],
    "list, warnings": [get("v1 events?fieldSelector=type%3DWarning")],
    "list, secrets by type": [apply(SECRET, secret()), get("v1 secrets?fieldSelector=type%3DOpaque")],
    # apply
    "apply, new": [apply(SET, web())],
    "apply, again": [apply(SET, web()), apply(SET, web())],
    "apply, told as metadata": [as_metadata(apply(SET, web()))],
    "apply, again, told as metadata": [apply(SET, web()), as_metadata(apply(SET, web()))],
    "apply, Secret, told as metadata": [as_metadata(apply(SECRET, secret()))],
    "apply, Cluster, told as metadata": [as_metadata(apply(DATABASE, database("db")))],
    "apply, refused, told as metadata": [as_metadata(apply(SET, web(**{"spec.replica": 1})))],
    "get, told as metadata": [apply(SET, web()), as_metadata(get(SET))],
    "apply, replicas": [apply(SET, web()), apply(SET, web(**{"spec.replicas": 1}))],
    "apply, no manager": [("PATCH", SET, web(), APPLY)],
    "apply, wrong name": [apply(SET, web(**{"metadata.name": "other"}))],
    "apply, wrong namespace": [apply(SET, web(**{"metadata.namespace": "default"}))],
    "apply, unknown field": [apply(SET, web(**{"spec.replica": 1}))],
    "apply, unknown nested field": [apply(SET, web(**{"spec.template.spec.containers.0.img": "x"}))],
    "apply, wrong type": [apply(SET, web(**{"spec.replicas": "two"}))],
    "apply, no key in a list": [apply(SET, web(**{"spec.template.spec.containers.0.name": None}))],
    "apply, conflict": [apply(SET, web(), manager="them"),
                        apply(SET, web(**{"spec.replicas": 2}), force=False)],
    "apply, two conflicts": [
        apply(SET, labelled(a="1", b="1"), manager="them"),
        apply(SET, labelled(a="2", b="2"), force=False)],
    "apply, shared without conflict": [apply(SET, web(), manager="them"),
                                       apply(SET, web(), force=False)],
    "apply, conflict with a patch": [
        apply(SET, web()), merge(SET, {"spec": {"replicas": 3}}, "?fieldManager=them"),
        apply(SET, web(), force=False)],
    "apply, takes over": [apply(SET, web(), manager="them"),
                          apply(SET, web(**{"spec.replicas": 2}))],
    "apply, gives a label up": [apply(SET, labelled(a="1", b="1")), apply(SET, labelled(a="1"))],
    "apply, gives all labels up": [apply(SET, labelled(a="1")), apply(SET, web())],
    "apply, gives up what another has": [
        apply(SET, labelled(a="1")), apply(SET, labelled(a="1"), manager="them"),
        apply(SET, web())],
    "apply, leaves others' labels": [
        apply(SET, labelled(a="1")), merge(SET, {"metadata": {"labels": {"b": "2"}}}),
        apply(SET, labelled(a="1"))],
    "apply, a variable goes": [
        apply(SET, web(**{"spec.template.spec.containers.0.env": [
            {"name": "A", "value": "1"}, {"name": "B", "value": "2"}]})),
        apply(SET, web(**{"spec.template.spec.containers.0.env": [{"name": "B", "value": "2"}]}))],
    "apply, order of two managers' variables": [
        apply(SET, web(**{"spec.template.spec.containers.0.env": [
            {"name": "A", "value": "1"}, {"name": "C", "value": "3"}]}), manager="them"),
        apply(SET, web(**{"spec.template.spec.containers.0.env": [
            {"name": "C", "value": "3"}, {"name": "B", "value": "2"}]}))],
    "apply, quantities": [apply(SET, web(**{"spec.template.spec.containers.0.resources": {
        "limits": {"cpu": "1500m", "memory": "1024Mi"},
        "requests": {"cpu": "1000m", "memory": "0.5Gi"}}}))],
    "apply, wrong version": [apply(SET, web()), apply(SET, web(**{"metadata.resourceVersion": "1"}))],
    "apply, other uid": [apply(SET, web()), apply(SET, web(**{"metadata.uid": ABSENT_UID}))],
    "apply, uid of an absent one": [apply(SET, web(**{"metadata.uid": ABSENT_UID}))],
    # validation
    "name, upper case": [apply("apps/v1 statefulsets/Web", web(**{"metadata.name": "Web"}))],
    "label, invalid": [apply(SET, labelled(a="no blanks"))],
    "set, immutable": [apply(SET, web()), apply(SET, web(**{"spec.serviceName": "other"}))],
    "set, no selector": [apply(SET, web(**{"spec.selector": None}))],
    "set, selector does not match": [
        apply(SET, web(**{"spec.template.metadata.labels": {"b": "1"}}))],
    "set, no image": [apply(SET, web(**{"spec.template.spec.containers.0.image": None}))],
    "set, no containers": [apply(SET, web(**{"spec.template.spec.containers": None}))],
    "set, unknown mount": [apply(SET, web(**{"spec.volumeClaimTemplates": None}))],
    "set, request over limit": [apply(SET, web(**{"spec.template.spec.containers.0.resources": {
        "requests": {"cpu": "2"}, "limits": {"cpu": "1"}}}))],
    "set, negative": [apply(SET, web(**{"spec.replicas": -1}))],
    "set, management": [apply(SET, web(**{"spec.podManagementPolicy": "Any"}))],
    "secret": [apply(SECRET, secret())],
    "secret, stringData": [post(SECRET, secret(stringData={"B": "b"}))],
    "secret, not base64": [post(SECRET, secret(data={"A": "?"}))],
    "secret, key": [apply(SECRET, secret(data={"A B": "YQ=="}))],
    "secret, type": [apply(SECRET, secret()), apply(SECRET, secret(type="other"))],
    "service": [apply(SERVICE, service())],
    "service, again": [apply(SERVICE, service()), apply(SERVICE, service())],
    "service, no ports": [apply(SERVICE, service(**{"spec.ports": []}))],
    "service, port without name": [apply(SERVICE, service(**{"spec.ports.0.name": None}))],
    "service, port too large": [apply(SERVICE, service(**{"spec.ports.0.port": 70000}))],
    "service, name": [apply("v1 services/1web", service(**{"metadata.name": "1web"}))],
    "ingress": [apply(INGRESS, ingress())],
    "ingress, no path type": [
        apply(INGRESS, ingress(**{"spec.rules.0.http.paths.0.pathType": None}))],
    "ingress, relative path": [apply(INGRESS, ingress(**{"spec.rules.0.http.paths.0.path": "a"}))],
    "ingress, host": [apply(INGRESS, ingress(**{"spec.rules.0.host": "No Host"}))],
    "ingress, no rules": [apply(INGRESS, ingress(**{"spec.rules": None}))],
    "ingress, class changed": [apply(INGRESS, ingress()),
                               apply(INGRESS, ingress(**{"spec.ingressClassName": "pause"}))],
    "policy": [apply(POLICY, policy())],
    "policy, type": [apply(POLICY, policy(**{"spec.policyTypes": ["Sideways"]}))],
    "claim": [apply(CLAIM, claim())],
    "claim, no mode": [apply(CLAIM, claim(**{"spec.accessModes": None}))],
    "claim, no size": [apply(CLAIM, claim(**{"spec.resources": {}}))],
    "claim, immutable": [apply(CLAIM, claim()),
                         apply(CLAIM, claim(**{"spec.storageClassName": "fast"}))],
    "binding": [apply(BINDING, binding())],
    "binding, role changed": [apply(BINDING, binding()), apply(BINDING, binding("other"))],
    "role": [apply("rbac.authorization.k8s.io/v1 roles/db", role())],
    "account": [apply("v1 serviceaccounts/db", account())],
    "database, no policy": [apply(DATABASE, change(database("db"), {"spec.terminationPolicy": None}))],
    "database, policy": [apply(DATABASE, database("db", policy="Never"))],
    "database, version": [apply(DATABASE, database("db", clusterVersionRef="PostgreSQL 14"))],
    "database, tenancy": [apply(DATABASE, database("db", affinity={"tenancy": "None"}))],
    "database, unknown field": [apply(DATABASE, database("db", backups=True))],
    # other writes
    "create, twice": [post(SET, web()), post(SET, web())],
    "create, no namespace": [("POST", "/api/v1/namespaces/nowhere/secrets", secret(), JSON)],
    "create, no name": [post(SECRET, secret(**{"metadata.name": None}))],
    "create, strict": [post(SET, web(**{"spec.replica": 1}), "?fieldValidation=Strict")],
    "create, lenient": [post(SET, web(**{"spec.replica": 1}), "?fieldValidation=Ignore")],
    "create, of another kind": [post(SET, secret())],
    "patch, absent": [merge(SET, {"spec": {"replicas": 1}})],
    "patch": [apply(SET, web()), merge(SET, {"spec": {"replicas": 1}})],
    "patch, null": [apply(SET, labelled(a="1")), merge(SET, {"metadata": {"labels": {"a": None}}})],
    "patch, wrong version": [apply(SET, web()), merge(SET, {"metadata": {"resourceVersion": "1"}})],
    "patch, unknown format": [apply(SET, web()), ("PATCH", SET, {}, "text/plain")],
    "put, absent": [put("apps/v1 statefulsets/none", web(**{"metadata.name": "none"}))],
    # logs
    "log, absent": [get("v1 pods/web/log")],
    "log, container": [post(POD, pod()), get("v1 pods/web/log?container=none")],
    "log, which container": [post(POD, pod("main", "other")), get("v1 pods/web/log")],
    "log, another's": [get("/api/v1/namespaces/others/pods/web/log")],
    "log, written": [post(POD, pod()), put("v1 pods/web/log", {})],
    "log, no number": [post(POD, pod()), get("v1 pods/web/log?tailLines=x")],
    "log, negative": [post(POD, pod()), get("v1 pods/web/log?tailLines=-1")],
    "log, no bytes": [post(POD, pod()), get("v1 pods/web/log?limitBytes=0")],
    # proxy
    "proxy, absent": [get("v1 pods/web:7681/proxy/v1/activity")],
    "proxy, another's": [get("/api/v1/namespaces/others/pods/web:7681/proxy/v1/activity")],
    # deletion
    "delete, absent": [delete(SET)],
    "delete": [apply(SET, web()), delete(SET)],
    "delete, secret": [apply(SECRET, secret()), delete(SECRET)],
    "delete, service": [apply(SERVICE, service()), delete(SERVICE)],
    "delete, background": [apply(SET, web()), delete(SET, propagationPolicy="Background")],
    "delete, other uid": [apply(SET, web()), delete(SET, preconditions={"uid": ABSENT_UID})],
    "delete, wrong version": [apply(SET, web()),
                              delete(SET, preconditions={"resourceVersion": "1"})],
    "delete, unknown policy": [apply(SET, web()), delete(SET, propagationPolicy="Sometimes")],
    "delete, then get": [apply(SET, web()), delete(SET), get(SET)],
    "delete, with a finalizer": [
        apply(SECRET, secret(**{"metadata.finalizers": ["example.com/keep"]})), delete(SECRET)],
    "the last finalizer goes": [
        apply(SECRET, secret(**{"metadata.finalizers": ["example.com/keep"]})), delete(SECRET),
        merge(SECRET, {"metadata": {"finalizers": None}}), get(SECRET)],
}
