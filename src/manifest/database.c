#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "manifest/manifest.h"
#include "manifest/network.h"
#include "manifest/object.h"

#define RBAC "rbac.authorization.k8s.io"

/* What KubeBlocks' own command line puts on what goes with a cluster; Sealos looks for it. */
static json_t *companion_labels(const struct manifest_database *d)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s}", "sealos-db-provider-cr", d->name,
			 "app.kubernetes.io/instance", d->name, MANIFEST_LABEL_MANAGED, "kbcli",
			 MANIFEST_LABEL_PROJECT, d->project_name, MANIFEST_LABEL_RESOURCE,
			 d->resource_id);
}

static json_t *companion(const struct manifest_database *d, const char *api_version,
			 const char *kind)
{
	return object_make(api_version, kind, d->name, d->namespace, companion_labels(d), NULL);
}

/* What runs in the database's pods, and in those of its backups, asks of the API server: Patroni,
 * KubeBlocks' agent, the backup tools. It is what KubeBlocks 0.8 and 0.9 grant where they make the
 * ServiceAccount themselves (ClusterRole kubeblocks-cluster-pod-role), without making and ending
 * pods, which none of them does: a pod can be given every Secret of the namespace. */
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
		json_array_append_new(array, json_string(list[i]));
	return array;
}

static json_t *role(const struct manifest_database *d)
{
	json_t *list = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		json_array_append_new(
			list,
			json_pack("{s:[s], s:o, s:o}", "apiGroups", rules[i].group, "resources",
				  words(rules[i].resources, ARRAY_SIZE(rules[i].resources)),
				  "verbs", words(rules[i].verbs, ARRAY_SIZE(rules[i].verbs))));
	return object_with(companion(d, RBAC "/v1", "Role"), "rules", list);
}

static json_t *role_binding(const struct manifest_database *d)
{
	json_t *object = companion(d, RBAC "/v1", "RoleBinding");

	object = object_with(
		object, "roleRef",
		json_pack("{s:s, s:s, s:s}", "apiGroup", RBAC, "kind", "Role", "name", d->name));
	return object_with(object, "subjects",
			   json_pack("[{s:s, s:s, s:s}]", "kind", "ServiceAccount", "name", d->name,
				     "namespace", d->namespace));
}

static json_t *network_policy(const struct manifest_database *d,
			      const struct manifest_settings *settings)
{
	return object_with(companion(d, "networking.k8s.io/v1", "NetworkPolicy"), "spec",
			   network_database_spec(d, settings));
}

static json_t *cluster_labels(const struct manifest_database *d)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "clusterdefinition.kubeblocks.io/name",
			 "postgresql", "clusterversion.kubeblocks.io/name", d->version,
			 "sealos-db-provider-cr", d->name, MANIFEST_LABEL_MANAGED,
			 MANIFEST_MANAGED_BY, MANIFEST_LABEL_PROJECT, d->project_name,
			 MANIFEST_LABEL_RESOURCE, d->resource_id);
}

static json_t *amounts(const char *cpu, const char *memory)
{
	return json_pack("{s:o, s:o}", "cpu", object_quantity(cpu), "memory",
			 object_quantity(memory));
}

static json_t *volume(const struct manifest_database *d, const struct manifest_settings *settings)
{
	return json_pack("{s:s, s:{s:[s], s:{s:{s:o}}, s:s*}}", "name", "data", "spec",
			 "accessModes", "ReadWriteOnce", "resources", "requests", "storage",
			 object_quantity(d->storage_size), "storageClassName",
			 settings->storage_class);
}

/* KubeBlocks stops a cluster without replicas up to 0.9.0 only; from then on `stop` does. */
static json_t *component(const struct manifest_database *d,
			 const struct manifest_settings *settings)
{
	bool has_stop = strcmp(settings->kubeblocks_version, "0.8") != 0;
	const struct manifest_resources *r = &d->resources;
	json_t *c = json_pack("{s:s, s:s, s:b, s:i, s:s, s:{s:s}, s:[o]}", "componentDefRef",
			      "postgresql", "name", "postgresql", "monitor", 1, "replicas",
			      d->stopped && !has_stop ? 0 : 1, "serviceAccountName", d->name,
			      "switchPolicy", "type", "Noop", "volumeClaimTemplates",
			      volume(d, settings));

	c = object_with(c, "resources",
			object_resources(amounts(r->cpu_request, r->memory_request),
					 amounts(r->cpu_limit, r->memory_limit)));
	return has_stop ? object_with(c, "stop", json_boolean(d->stopped)) : c;
}

/* The list of components is atomic: it is always applied whole. */
json_t *manifest_cluster(const struct manifest_database *d,
			 const struct manifest_settings *settings, const char *hash)
{
	json_t *object =
		object_make("apps.kubeblocks.io/v1alpha1", "Cluster", d->name, d->namespace,
			    cluster_labels(d), json_pack("{s:s}", MANIFEST_ANNOTATION_HASH, hash));

	return object_with(object, "spec",
			   json_pack("{s:s, s:s, s:s, s:{s:s, s:s, s:[s]}, s:[o]}",
				     "clusterDefinitionRef", "postgresql", "clusterVersionRef",
				     d->version, "terminationPolicy", "Delete", "affinity",
				     "podAntiAffinity", "Preferred", "tenancy", "SharedNode",
				     "topologyKeys", "kubernetes.io/hostname", "componentSpecs",
				     component(d, settings)));
}

json_t *manifest_database_companions(const struct manifest_database *d,
				     const struct manifest_settings *settings)
{
	json_t *const objects[] = {
		companion(d, "v1", "ServiceAccount"),
		role(d),
		role_binding(d),
		network_policy(d, settings),
	};

	return object_list(objects, ARRAY_SIZE(objects));
}

/* RFC 3986: all but the unreserved characters. The caller frees. */
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

	return mem_printf("postgresql://%s:%s@%s:%u/%s?schema=public", user, secret, server, port,
			  name);
}
