/* A database as a Cluster of KubeBlocks, and what goes with it. */
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "manifest/database.h"
#include "manifest/network.h"
#include "manifest/object.h"
#include "manifest/pod.h"

#define RBAC "rbac.authorization.k8s.io"

/* The labels that KubeBlocks' command line sets on a cluster's other objects; Sealos looks for
 * them. */
static json_t *companion_labels(const struct manifest_database *d)
{
	return MAP({ "sealos-db-provider-cr", TEXT(d->name) },
		   { "app.kubernetes.io/instance", TEXT(d->name) },
		   { MANIFEST_LABEL_MANAGED, TEXT("kbcli") },
		   { MANIFEST_LABEL_PROJECT, TEXT(d->project_name) },
		   { MANIFEST_LABEL_RESOURCE, TEXT(d->resource_id) });
}

/* Steals `others`. */
static json_t *companion(const struct manifest_database *d, const char *api_version,
			 const char *kind, json_t *others)
{
	const struct object_head head = { api_version, kind, d->name, d->namespace };

	return object_make(&head, companion_labels(d), &object_absent, others);
}

/* What programs in the database's pods, and in those of its backups, need from the API server:
 * Patroni, KubeBlocks' agent, the backup tools. It is what KubeBlocks 0.8 and 0.9 grant if they
 * make the ServiceAccount themselves (ClusterRole kubeblocks-cluster-pod-role), except making and
 * deleting pods, which none of them does: a pod can be given every Secret of the namespace. */
static const struct {
	const char *group, *resources[2], *verbs[8];
} rules[] = {
	{ "",
	  { "configmaps", "endpoints" },
	  { "create", "delete", "get", "list", "patch", "update", "watch" } },
	{ "", { "pods" }, { "get", "list", "patch", "update", "watch" } },
	{ "", { "events" }, { "create" } },
	{ "apps.kubeblocks.io", { "clusters" }, { "get", "list" } },
	{ "apps.kubeblocks.io", { "clusters/status" }, { "get" } },
	{ "apps.kubeblocks.io", { "opsrequests/status" }, { "get", "patch" } },
	{ "dataprotection.kubeblocks.io", { "backups" }, { "create", "get" } },
	{ "dataprotection.kubeblocks.io", { "backups/status" }, { "get", "patch", "update" } },
};

static json_t *words(const char *const *list, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count && list[i] != NULL; i++)
		json_array_append_new(array, TEXT(list[i]));
	return array;
}

static json_t *role(const struct manifest_database *d)
{
	json_t *list = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		json_array_append_new(
			list,
			MAP({ "apiGroups", LIST(TEXT(rules[i].group)) },
			    { "resources",
			      words(rules[i].resources, ARRAY_SIZE(rules[i].resources)) },
			    { "verbs", words(rules[i].verbs, ARRAY_SIZE(rules[i].verbs)) }));
	return companion(d, RBAC "/v1", "Role", MAP({ "rules", list }));
}

static json_t *role_binding(const struct manifest_database *d)
{
	json_t *role_ref = MAP(
		{ "apiGroup", TEXT(RBAC) }, { "kind", TEXT("Role") }, { "name", TEXT(d->name) });
	json_t *subject = MAP({ "kind", TEXT("ServiceAccount") },
			      { "name", TEXT(d->name) },
			      { "namespace", TEXT(d->namespace) });

	return companion(d,
			 RBAC "/v1",
			 "RoleBinding",
			 MAP({ "roleRef", role_ref }, { "subjects", LIST(subject) }));
}

static json_t *network_policy(const struct manifest_database *d,
			      const struct manifest_settings *settings)
{
	return companion(d,
			 "networking.k8s.io/v1",
			 "NetworkPolicy",
			 MAP({ "spec", network_database_spec(d, settings) }));
}

/* Definition and version are labels of the API up to 0.9. */
static json_t *cluster_labels(const struct manifest_database *d)
{
	bool v1 = d->form == FORM_KUBEBLOCKS_1_0;

	return MAP({ "clusterdefinition.kubeblocks.io/name", IF(!v1, TEXT("postgresql")) },
		   { "clusterversion.kubeblocks.io/name", IF(!v1, TEXT(d->version)) },
		   { "sealos-db-provider-cr", TEXT(d->name) },
		   { MANIFEST_LABEL_MANAGED, TEXT(MANIFEST_MANAGED_BY) },
		   { MANIFEST_LABEL_PROJECT, TEXT(d->project_name) },
		   { MANIFEST_LABEL_RESOURCE, TEXT(d->resource_id) });
}

static json_t *amounts(const char *cpu, const char *memory)
{
	return MAP({ "cpu", QUANTITY(cpu) }, { "memory", QUANTITY(memory) });
}

static json_t *volume(const struct manifest_database *d, const struct manifest_settings *settings)
{
	return MAP({ "name", TEXT("data") },
		   { "spec", pod_claim_spec(d->storage_size, d->storage_class, settings) });
}

static json_t *resources(const struct manifest_database *d)
{
	const struct manifest_resources *r = &d->resources;

	return MAP({ "requests", amounts(r->cpu_request, r->memory_request) },
		   { "limits", amounts(r->cpu_limit, r->memory_limit) });
}

/* ---- up to 0.9 ------------------------------------------------------------------------------- */

/* Up to KubeBlocks 0.9.0, zero replicas stop a cluster; later versions need `stop`. */
static json_t *component(const struct manifest_database *d,
			 const struct manifest_settings *settings)
{
	bool has_stop = d->form != FORM_KUBEBLOCKS_0_8;

	return MAP({ "componentDefRef", TEXT("postgresql") },
		   { "name", TEXT("postgresql") },
		   { "monitor", FLAG(true) },
		   { "replicas", NUMBER(d->stopped && !has_stop ? 0 : 1) },
		   { "serviceAccountName", TEXT(d->name) },
		   { "switchPolicy", MAP({ "type", TEXT("Noop") }) },
		   { "volumeClaimTemplates", LIST(volume(d, settings)) },
		   { "resources", resources(d) },
		   { "stop", IF(has_stop, FLAG(d->stopped)) });
}

/* The list of components is atomic, so it is always applied as a whole. */
static json_t *cluster_spec(const struct manifest_database *d,
			    const struct manifest_settings *settings)
{
	json_t *affinity = MAP({ "podAntiAffinity", TEXT("Preferred") },
			       { "tenancy", TEXT("SharedNode") },
			       { "topologyKeys", LIST(TEXT("kubernetes.io/hostname")) });

	return MAP({ "clusterDefinitionRef", TEXT("postgresql") },
		   { "clusterVersionRef", TEXT(d->version) },
		   { "terminationPolicy", TEXT("Delete") },
		   { "affinity", affinity },
		   { "componentSpecs", LIST(component(d, settings)) });
}

/* ---- 1.0 ------------------------------------------------------------------------------------- */

/* "postgresql-14.8.0" is the service version 14.8.0 of the definition postgresql. */
static const char *service_version(const char *version)
{
	const char *dash = strchr(version, '-');

	return dash != NULL ? dash + 1 : version;
}

/* The label is what Patroni finds its own cluster by: the definition asks for it. */
static json_t *component_v1(const struct manifest_database *d,
			    const struct manifest_settings *settings)
{
	CLEANUP(cleanup_free) char *scope = mem_printf("%s-postgresql", d->name);

	return MAP({ "name", TEXT("postgresql") },
		   { "serviceVersion", TEXT(service_version(d->version)) },
		   { "disableExporter", FLAG(true) },
		   { "labels", MAP({ "apps.kubeblocks.postgres.patroni/scope", TEXT(scope) }) },
		   { "replicas", NUMBER(1) },
		   { "stop", FLAG(d->stopped) },
		   { "resources", resources(d) },
		   { "volumeClaimTemplates", LIST(volume(d, settings)) });
}

static json_t *cluster_spec_v1(const struct manifest_database *d,
			       const struct manifest_settings *settings)
{
	return MAP({ "clusterDef", TEXT("postgresql") },
		   { "topology", TEXT("replication") },
		   { "terminationPolicy", TEXT("Delete") },
		   { "componentSpecs", LIST(component_v1(d, settings)) });
}

/* ---- all ------------------------------------------------------------------------------------- */

json_t *kubeblocks_anchor(const struct manifest_database *d,
			  const struct manifest_settings *settings, const char *hash)
{
	bool v1 = d->form == FORM_KUBEBLOCKS_1_0;
	const struct object_head head = {
		v1 ? "apps.kubeblocks.io/v1" : "apps.kubeblocks.io/v1alpha1",
		"Cluster",
		d->name,
		d->namespace,
	};
	json_t *spec = v1 ? cluster_spec_v1(d, settings) : cluster_spec(d, settings);

	return object_make(&head,
			   cluster_labels(d),
			   MAP({ MANIFEST_ANNOTATION_HASH, TEXT(hash) }),
			   MAP({ "spec", spec }));
}

/* From 1.0 on, KubeBlocks makes the ServiceAccount of the pods itself. */
json_t *kubeblocks_companions(const struct manifest_database *d,
			      const struct manifest_settings *settings)
{
	json_t *policy = network_policy(d, settings);

	if (d->form == FORM_KUBEBLOCKS_1_0)
		return LIST(policy);
	return LIST(companion(d, "v1", "ServiceAccount", json_object()),
		    role(d),
		    role_binding(d),
		    policy);
}
