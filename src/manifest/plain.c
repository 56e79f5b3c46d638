/* A database of ours, for clusters without KubeBlocks: a StatefulSet of one pod with the official
 * image of PostgreSQL, or one that is used like it. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "crypto/token.h"
#include "manifest/database.h"
#include "manifest/network.h"
#include "manifest/object.h"
#include "manifest/pod.h"

#define DATA_VOLUME "data"
/* The parent of the image's own volume: below it, PostgreSQL finds no lost+found, and makes the
 * folder with the rights that it wants. */
#define DATA_PATH "/var/lib/postgresql"
#define RUN_PATH  "/var/run/postgresql"

enum { POSTGRES_UID = 999, PORT_POSTGRES = 5432 };
enum { GRACE_S = 30, START_PROBES = 300, READY_PERIOD_S = 5, READY_FAILURES = 3 };

/* Of the node's disk, for what is not data. */
#define STORAGE_REQUEST "100Mi"
#define STORAGE_LIMIT   "1Gi"

/* By the instance, which is the database's name, sandboxes find its pods (manifest/network.c). */
static json_t *labels(const struct manifest_database *d)
{
	return MAP({ "app.kubernetes.io/name", TEXT("postgresql") },
		   { "app.kubernetes.io/instance", TEXT(d->name) },
		   { MANIFEST_LABEL_MANAGED, TEXT(MANIFEST_MANAGED_BY) },
		   { MANIFEST_LABEL_PROJECT, TEXT(d->project_name) },
		   { MANIFEST_LABEL_RESOURCE, TEXT(d->resource_id) });
}

static json_t *selector(const struct manifest_database *d)
{
	return MAP({ "app.kubernetes.io/instance", TEXT(d->name) });
}

/* ---- companions ------------------------------------------------------------------------------ */

static char *secret_name(const struct manifest_database *d)
{
	return mem_printf("%s-conn-credential", d->name);
}

static char *service_name(const char *name)
{
	return mem_printf("%s-postgresql", name);
}

char *manifest_plain_host(const char *name, const char *namespace)
{
	CLEANUP(cleanup_free) char *service = service_name(name);

	return manifest_database_host(service, namespace);
}

static json_t *encoded(const char *text)
{
	CLEANUP(cleanup_free) char *base64 = base64_encode(text, strlen(text));

	return TEXT(base64);
}

static json_t *secret(const struct manifest_database *d)
{
	CLEANUP(cleanup_free) char *name = secret_name(d);
	CLEANUP(cleanup_free) char *host = manifest_plain_host(d->name, d->namespace);
	const struct object_head head = { "v1", "Secret", name, d->namespace };
	json_t *data = MAP({ "host", encoded(host) },
			   { "port", encoded("5432") },
			   { "username", encoded("postgres") },
			   { "password", encoded(d->password) });

	return object_make(&head,
			   labels(d),
			   &object_absent,
			   MAP({ "type", TEXT("Opaque") }, { "data", data }));
}

static json_t *service(const struct manifest_database *d)
{
	CLEANUP(cleanup_free) char *name = service_name(d->name);
	const struct object_head head = { "v1", "Service", name, d->namespace };
	json_t *port = MAP({ "name", TEXT("postgresql") },
			   { "port", NUMBER(PORT_POSTGRES) },
			   { "targetPort", NUMBER(PORT_POSTGRES) },
			   { "protocol", TEXT("TCP") });

	return object_make(
		&head,
		labels(d),
		&object_absent,
		MAP({ "spec", MAP({ "selector", selector(d) }, { "ports", LIST(port) }) }));
}

static json_t *network_policy(const struct manifest_database *d,
			      const struct manifest_settings *settings)
{
	const struct object_head head = {
		"networking.k8s.io/v1", "NetworkPolicy", d->name, d->namespace
	};

	return object_make(
		&head, labels(d), &object_absent, MAP({ "spec", network_plain_spec(d, settings) }));
}

json_t *plain_companions(const struct manifest_database *d,
			 const struct manifest_settings *settings)
{
	return LIST(secret(d), service(d), network_policy(d, settings));
}

/* ---- the anchor ------------------------------------------------------------------------------ */

/* Whether an image says which of its versions. A registry before it may have a port. */
static bool has_tag(const char *image)
{
	const char *name = strrchr(image, '/');

	return strpbrk(name != NULL ? name : image, ":@") != NULL;
}

/* "postgresql-14.8.0" is 14.8 among the tags of the official image: PostgreSQL's versions have two
 * numbers. The caller frees. */
static char *image_of(const struct manifest_database *d, const struct manifest_settings *settings)
{
	const char *dash = strrchr(d->version, '-');
	const char *version = dash != NULL ? dash + 1 : d->version;
	size_t length = strcspn(version, ".");

	if (has_tag(settings->postgres_image))
		return mem_strdup(settings->postgres_image);
	if (version[length] == '.')
		length += 1 + strcspn(version + length + 1, ".");
	return mem_printf("%s:%.*s", settings->postgres_image, (int)length, version);
}

static json_t *variables(const struct manifest_database *d)
{
	CLEANUP(cleanup_free) char *name = secret_name(d);
	json_t *key = MAP({ "name", TEXT(name) }, { "key", TEXT("password") });

	return LIST(MAP({ "name", TEXT("PGDATA") }, { "value", TEXT(DATA_PATH "/pgdata") }),
		    MAP({ "name", TEXT("POSTGRES_PASSWORD") },
			{ "valueFrom", MAP({ "secretKeyRef", key }) }));
}

/* The image's first start, without a network, is not taken for the server. No liveness probe: a
 * server that recovers is not to be ended. */
static json_t *container(const struct manifest_database *d,
			 const struct manifest_settings *settings)
{
	CLEANUP(cleanup_free) char *image = image_of(d, settings);
	struct manifest_resources resources = d->resources;

	resources.storage_limit = STORAGE_LIMIT;
	return MAP(
		{ "name", TEXT("postgresql") },
		{ "image", TEXT(image) },
		{ "env", variables(d) },
		{ "ports", LIST(pod_port("postgresql", PORT_POSTGRES)) },
		{ "volumeMounts",
		  LIST(pod_mount(DATA_VOLUME, DATA_PATH),
		       pod_mount("run", RUN_PATH),
		       pod_mount("tmp", "/tmp")) },
		{ "resources", pod_resources(&resources, STORAGE_REQUEST) },
		{ "startupProbe", pod_port_probe(PORT_POSTGRES, 1, START_PROBES) },
		{ "readinessProbe", pod_port_probe(PORT_POSTGRES, READY_PERIOD_S, READY_FAILURES) },
		{ "securityContext", pod_container_security() });
}

static json_t *pod(const struct manifest_database *d, const struct manifest_settings *settings)
{
	return MAP({ "metadata", MAP({ "labels", labels(d) }) },
		   { "spec",
		     MAP({ "automountServiceAccountToken", FLAG(false) },
			 { "enableServiceLinks", FLAG(false) },
			 { "terminationGracePeriodSeconds", NUMBER(GRACE_S) },
			 { "securityContext", pod_security(POSTGRES_UID, POSTGRES_UID) },
			 { "containers", LIST(container(d, settings)) },
			 { "volumes", LIST(pod_empty_volume("run"), pod_empty_volume("tmp")) },
			 { "imagePullSecrets", pod_pull_secrets(settings) }) });
}

static json_t *claim(const struct manifest_database *d, const struct manifest_settings *settings)
{
	return MAP({ "metadata", MAP({ "name", TEXT(DATA_VOLUME) }, { "labels", labels(d) }) },
		   { "spec", pod_claim_spec(d->storage_size, d->storage_class, settings) });
}

static json_t *spec(const struct manifest_database *d, const struct manifest_settings *settings)
{
	CLEANUP(cleanup_free) char *service = service_name(d->name);

	return MAP({ "replicas", NUMBER(d->stopped ? 0 : 1) },
		   { "serviceName", TEXT(service) },
		   { "revisionHistoryLimit", NUMBER(1) },
		   { "podManagementPolicy", TEXT("Parallel") },
		   { "selector", MAP({ "matchLabels", selector(d) }) },
		   { "persistentVolumeClaimRetentionPolicy",
		     MAP({ "whenDeleted", TEXT("Delete") }, { "whenScaled", TEXT("Retain") }) },
		   { "template", pod(d, settings) },
		   { "volumeClaimTemplates", LIST(claim(d, settings)) });
}

json_t *plain_anchor(const struct manifest_database *d, const struct manifest_settings *settings,
		     const char *hash)
{
	const struct object_head head = { "apps/v1", "StatefulSet", d->name, d->namespace };

	return object_make(&head,
			   labels(d),
			   MAP({ MANIFEST_ANNOTATION_HASH, TEXT(hash) }),
			   MAP({ "spec", spec(d, settings) }));
}
