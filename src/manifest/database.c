#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "manifest/manifest.h"
#include "manifest/network.h"
#include "manifest/object.h"

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

static json_t *cluster_labels(const struct manifest_database *d)
{
	return MAP({ "clusterdefinition.kubeblocks.io/name", TEXT("postgresql") },
		   { "clusterversion.kubeblocks.io/name", TEXT(d->version) },
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
	json_t *requests = MAP({ "storage", QUANTITY(d->storage_size) });

	return MAP({ "name", TEXT("data") },
		   { "spec",
		     MAP({ "accessModes", LIST(TEXT("ReadWriteOnce")) },
			 { "resources", MAP({ "requests", requests }) },
			 { "storageClassName",
			   IF(settings->storage_class != NULL, TEXT(settings->storage_class)) }) });
}

/* Up to KubeBlocks 0.9.0, zero replicas stop a cluster; later versions need `stop`. */
static json_t *component(const struct manifest_database *d,
			 const struct manifest_settings *settings)
{
	bool has_stop = strcmp(settings->kubeblocks_version, "0.8") != 0;
	const struct manifest_resources *r = &d->resources;

	return MAP({ "componentDefRef", TEXT("postgresql") },
		   { "name", TEXT("postgresql") },
		   { "monitor", FLAG(true) },
		   { "replicas", NUMBER(d->stopped && !has_stop ? 0 : 1) },
		   { "serviceAccountName", TEXT(d->name) },
		   { "switchPolicy", MAP({ "type", TEXT("Noop") }) },
		   { "volumeClaimTemplates", LIST(volume(d, settings)) },
		   { "resources",
		     MAP({ "requests", amounts(r->cpu_request, r->memory_request) },
			 { "limits", amounts(r->cpu_limit, r->memory_limit) }) },
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

json_t *manifest_cluster(const struct manifest_database *d,
			 const struct manifest_settings *settings, const char *hash)
{
	const struct object_head head = {
		"apps.kubeblocks.io/v1alpha1", "Cluster", d->name, d->namespace
	};

	return object_make(&head,
			   cluster_labels(d),
			   MAP({ MANIFEST_ANNOTATION_HASH, TEXT(hash) }),
			   MAP({ "spec", cluster_spec(d, settings) }));
}

json_t *manifest_database_companions(const struct manifest_database *d,
				     const struct manifest_settings *settings)
{
	return LIST(companion(d, "v1", "ServiceAccount", json_object()),
		    role(d),
		    role_binding(d),
		    network_policy(d, settings));
}

/* RFC 3986: escapes all but the unreserved characters. The caller frees. */
static char *url_escape(const char *text)
{
	static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					 "0123456789-._~";
	static const char hex[] = "0123456789ABCDEF";
	char *escaped = mem_calloc(strlen(text) + 1, 3);
	char *to = escaped;

	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;
		if (strchr(unreserved, c) != NULL) {
			*to++ = *text;
			continue;
		}
		*to++ = '%';
		*to++ = hex[c >> 4];
		*to++ = hex[c & 15];
	}
	return escaped;
}

char *manifest_database_host(const char *host, const char *namespace)
{
	return strchr(host, '.') != NULL ? mem_strdup(host)
					 : mem_printf("%s.%s.svc", host, namespace);
}

char *manifest_database_url(const char *username, const char *password, const char *host,
			    unsigned port, const char *database, const char *namespace)
{
	CLEANUP(cleanup_free) char *full_host = manifest_database_host(host, namespace);
	CLEANUP(cleanup_free) char *user = url_escape(username);
	CLEANUP(cleanup_free) char *secret = url_escape(password);
	CLEANUP(cleanup_free) char *server = url_escape(full_host);
	CLEANUP(cleanup_free) char *name = url_escape(database);

	return mem_printf(
		"postgresql://%s:%s@%s:%u/%s?schema=public", user, secret, server, port, name);
}
