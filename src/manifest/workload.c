#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/quantity.h"
#include "manifest/object.h"
#include "manifest/pod.h"
#include "manifest/sandbox.h"

#define HOME_VOLUME "home"
#define HOME_PATH   "/home/agent"
#define TMP_VOLUME  "tmp"
/* Where our own image has our programs, and where tools_image's are mounted in another one. */
#define TOOLS_VOLUME "tools"
#define TOOLS_PATH   "/usr/lib/fullstack-agent"
#define TOOLS_TARGET "/target"

/* The group of the home directory. */
enum { HOME_GID = 1000 };

enum { GRACE_S = 10, START_PROBES = 300, READY_PERIOD_S = 5, READY_FAILURES = 3 };

/* Of the node's disk. Without a request, the whole limit would count as requested. */
#define STORAGE_REQUEST "100Mi"

static json_t *container_mounts(const struct manifest_sandbox *s)
{
	json_t *tools = MAP({ "name", TEXT(TOOLS_VOLUME) },
			    { "mountPath", TEXT(TOOLS_PATH) },
			    { "readOnly", FLAG(true) });

	if (s->tools_image != NULL)
		return LIST(
			pod_mount(HOME_VOLUME, HOME_PATH), pod_mount(TMP_VOLUME, "/tmp"), tools);
	json_decref(tools);
	return LIST(pod_mount(HOME_VOLUME, HOME_PATH), pod_mount(TMP_VOLUME, "/tmp"));
}

/* Copies our programs into the volume that the other image has them from. */
static json_t *tools_container(const struct manifest_sandbox *s)
{
	json_t *copy = LIST(TEXT(TOOLS_PATH "/bin/busybox"),
			    TEXT("cp"),
			    TEXT("-R"),
			    TEXT(TOOLS_PATH "/."),
			    TEXT(TOOLS_TARGET));

	return MAP({ "name", TEXT(TOOLS_VOLUME) },
		   { "image", TEXT(s->tools_image) },
		   { "command", copy },
		   { "volumeMounts", LIST(pod_mount(TOOLS_VOLUME, TOOLS_TARGET)) },
		   { "resources", pod_resources(&s->resources, STORAGE_REQUEST) },
		   { "securityContext", pod_container_security() });
}

/* No liveness probe: it would end the work of users whose programs keep the machine busy. */
static json_t *container(const struct manifest_sandbox *s)
{
	CLEANUP(cleanup_free) char *environment = sandbox_part_name(s, "env");
	json_t *env_from = MAP({ "secretRef", MAP({ "name", TEXT(environment) }) });
	json_t *home = MAP({ "name", TEXT("HOME") }, { "value", TEXT(HOME_PATH) });

	return MAP({ "name", TEXT(MANIFEST_CONTAINER) },
		   { "image", TEXT(s->image) },
		   { "command", IF(s->tools_image != NULL, LIST(TEXT(TOOLS_PATH "/start"))) },
		   { "envFrom", LIST(env_from) },
		   { "env", LIST(home) },
		   { "ports", LIST(pod_port("app", PORT_APP), pod_port("ttyd", PORT_TTYD)) },
		   { "volumeMounts", container_mounts(s) },
		   { "resources", pod_resources(&s->resources, STORAGE_REQUEST) },
		   /* By TCP: over HTTP, ttyd asks for a password. Every second until the first
		    * success, so that a terminal can be used as soon as it is ready. */
		   { "startupProbe", pod_port_probe(PORT_TTYD, 1, START_PROBES) },
		   { "readinessProbe", pod_port_probe(PORT_TTYD, READY_PERIOD_S, READY_FAILURES) },
		   { "securityContext", pod_container_security() });
}

/* Whoever the user is, the home directory's group is theirs, too. */
static json_t *security(const struct manifest_sandbox *s)
{
	return pod_security(s->run_as != NULL ? strtol(s->run_as, NULL, 10) : 0, HOME_GID);
}

/* A hash of the environment, so that a changed value replaces the pod: the template contains no
 * values. They cannot be guessed from the hash, because one of them is the terminal's token, which
 * is random. */
static json_t *pod_annotations(const struct manifest_sandbox *s)
{
	json_auto_t *data = sandbox_secret_data(s);
	char checksum[65];

	if (data == NULL)
		return NULL;
	json_object_del(data, MANIFEST_VARIABLE_SITE); /* another address of the site can wait */
	object_hash(data, checksum);
	return MAP({ "project.fullstackagent.io/environment-checksum", TEXT(checksum) },
		   { "project.fullstackagent.io/restarted", TEXT(s->restarted) });
}

static json_t *pod_volumes(const struct manifest_sandbox *s)
{
	json_t *volumes = LIST(pod_empty_volume(TMP_VOLUME));

	if (s->tools_image != NULL)
		json_array_append_new(volumes, pod_empty_volume(TOOLS_VOLUME));
	return volumes;
}

static json_t *pod(const struct manifest_sandbox *s, const struct manifest_settings *settings)
{
	return MAP({ "metadata",
		     MAP({ "labels", sandbox_labels(s) }, { "annotations", pod_annotations(s) }) },
		   { "spec",
		     MAP({ "automountServiceAccountToken", FLAG(false) },
			 /* The namespace's other Services do not belong in this sandbox's
			  * environment. */
			 { "enableServiceLinks", FLAG(false) },
			 { "terminationGracePeriodSeconds", NUMBER(GRACE_S) },
			 { "securityContext", security(s) },
			 { "initContainers", IF(s->tools_image != NULL, LIST(tools_container(s))) },
			 { "containers", LIST(container(s)) },
			 { "volumes", pod_volumes(s) },
			 { "imagePullSecrets", pod_pull_secrets(settings) }) });
}

/* The annotations are what the Sealos launchpad shows about a volume: its path, and its size in
 * GiB. */
static json_t *home_claim(const struct manifest_sandbox *s,
			  const struct manifest_settings *settings)
{
	CLEANUP(cleanup_free)
	char *gibibytes = mem_printf("%llu", (unsigned long long)quantity_gibibytes(s->home_size));

	return MAP({ "metadata",
		     MAP({ "name", TEXT(HOME_VOLUME) },
			 { "labels", sandbox_labels(s) },
			 { "annotations",
			   MAP({ "path", TEXT(HOME_PATH) }, { "value", TEXT(gibibytes) }) }) },
		   { "spec", pod_claim_spec(s->home_size, s->storage_class, settings) });
}

static json_t *annotations(const struct manifest_sandbox *s, const char *hash)
{
	return MAP({ "originImageName", TEXT(s->image) },
		   { "deploy.cloud.sealos.io/minReplicas", TEXT("1") },
		   { "deploy.cloud.sealos.io/maxReplicas", TEXT("1") },
		   { "deploy.cloud.sealos.io/resize", QUANTITY(s->home_size) },
		   { MANIFEST_ANNOTATION_HASH, TEXT(hash) });
}

/* As the Sealos launchpad makes them, with two differences. There is no minReadySeconds: with one
 * replica, it would only delay the news that a terminal works. And pods are managed in parallel:
 * "in order" would wait for a broken pod to become ready before replacing it by one with the
 * repaired image or environment (kubernetes.io, StatefulSet, "forced rollback"). */
static json_t *spec(const struct manifest_sandbox *s, const struct manifest_settings *settings)
{
	CLEANUP(cleanup_free) char *service = sandbox_part_name(s, "service");

	return MAP({ "replicas", NUMBER(s->stopped ? 0 : 1) },
		   { "serviceName", TEXT(service) },
		   { "revisionHistoryLimit", NUMBER(1) },
		   { "podManagementPolicy", TEXT("Parallel") },
		   { "selector", MAP({ "matchLabels", MAP({ "app", TEXT(s->name) }) }) },
		   { "persistentVolumeClaimRetentionPolicy",
		     MAP({ "whenDeleted", TEXT("Delete") }, { "whenScaled", TEXT("Retain") }) },
		   { "template", pod(s, settings) },
		   { "volumeClaimTemplates", LIST(home_claim(s, settings)) });
}

json_t *manifest_stateful_set(const struct manifest_sandbox *s,
			      const struct manifest_settings *settings, const char *hash)
{
	const struct object_head head = { "apps/v1", "StatefulSet", s->name, s->namespace };

	return object_make(
		&head, sandbox_labels(s), annotations(s, hash), MAP({ "spec", spec(s, settings) }));
}
