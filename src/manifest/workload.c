#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "manifest/object.h"
#include "base/quantity.h"
#include "manifest/sandbox.h"

#define HOME_VOLUME "home"
#define HOME_PATH   "/home/agent"
#define TMP_VOLUME  "tmp"

/* The user that the runtime image is made for. */
enum { AGENT_UID = 1000 };

enum { GRACE_S = 10, START_PROBES = 300, READY_PERIOD_S = 5, READY_FAILURES = 3 };

/* Of the node's disk. Without a request of its own, all of the limit would count as requested. */
#define STORAGE_REQUEST "100Mi"

static json_t *amounts(const char *cpu, const char *memory, const char *storage)
{
	return json_pack("{s:o, s:o, s:o}", "cpu", object_quantity(cpu), "memory",
			 object_quantity(memory), "ephemeral-storage", object_quantity(storage));
}

static json_t *resources(const struct manifest_resources *r)
{
	const char *request = quantity_compare(STORAGE_REQUEST, r->storage_limit) < 0
				      ? STORAGE_REQUEST
				      : r->storage_limit;

	return object_resources(amounts(r->cpu_request, r->memory_request, request),
				amounts(r->cpu_limit, r->memory_limit, r->storage_limit));
}

/* TCP: over HTTP ttyd asks for a password. */
static json_t *terminal_probe(int period_s, int failures)
{
	return json_pack("{s:{s:i}, s:i, s:i}", "tcpSocket", "port", PORT_TTYD, "periodSeconds",
			 period_s, "failureThreshold", failures);
}

static json_t *container_port(const char *name, int port)
{
	return json_pack("{s:s, s:i, s:s}", "name", name, "containerPort", port, "protocol", "TCP");
}

static json_t *mount(const char *volume, const char *path)
{
	return json_pack("{s:s, s:s}", "name", volume, "mountPath", path);
}

/* Pod Security "restricted", and a root file system that nothing can be hidden in. */
static json_t *container_security(void)
{
	return json_pack("{s:b, s:b, s:{s:[s]}}", "allowPrivilegeEscalation", 0,
			 "readOnlyRootFilesystem", 1, "capabilities", "drop", "ALL");
}

/* No liveness probe: it would end the work of somebody whose program keeps the machine busy. */
static json_t *container(const struct manifest_sandbox *s)
{
	CLEANUP(cleanup_free) char *environment = sandbox_part_name(s, "env");
	json_t *c = json_pack("{s:s, s:s, s:[{s:{s:s}}], s:[{s:s, s:s}]}", "name",
			      MANIFEST_CONTAINER, "image", s->image, "envFrom", "secretRef", "name",
			      environment, "env", "name", "HOME", "value", HOME_PATH);

	c = object_with(c, "ports",
			json_pack("[o, o]", container_port("app", PORT_APP),
				  container_port("ttyd", PORT_TTYD)));
	c = object_with(
		c, "volumeMounts",
		json_pack("[o, o]", mount(HOME_VOLUME, HOME_PATH), mount(TMP_VOLUME, "/tmp")));
	c = object_with(c, "resources", resources(&s->resources));
	/* Each second until it answers, so that a terminal is there as soon as it can be. */
	c = object_with(c, "startupProbe", terminal_probe(1, START_PROBES));
	c = object_with(c, "readinessProbe", terminal_probe(READY_PERIOD_S, READY_FAILURES));
	return object_with(c, "securityContext", container_security());
}

static json_t *pod_security(void)
{
	return json_pack("{s:b, s:i, s:i, s:i, s:s, s:{s:s}}", "runAsNonRoot", 1, "runAsUser",
			 AGENT_UID, "runAsGroup", AGENT_UID, "fsGroup", AGENT_UID,
			 "fsGroupChangePolicy", "OnRootMismatch", "seccompProfile", "type",
			 "RuntimeDefault");
}

/* The values are not in the template, so a changed one would not roll the pod but for their hash.
 * It tells nothing: the terminal's token, which nobody can guess, is among what it is made of. */
static json_t *pod_annotations(const struct manifest_sandbox *s)
{
	CLEANUP(json_decrefp) json_t *data = sandbox_secret_data(s);
	char checksum[65];

	if (data == NULL)
		return NULL;
	object_hash(data, checksum);
	return json_pack("{s:s, s:s}", "project.fullstackagent.io/environment-checksum", checksum,
			 "project.fullstackagent.io/restarted", s->restarted);
}

static json_t *pod(const struct manifest_sandbox *s, const struct manifest_settings *settings)
{
	/* enableServiceLinks: the namespace's other Services are not this sandbox's environment. */
	json_t *spec = json_pack("{s:b, s:b, s:i, s:o, s:[o], s:[{s:s, s:{}}]}",
				 "automountServiceAccountToken", 0, "enableServiceLinks", 0,
				 "terminationGracePeriodSeconds", GRACE_S, "securityContext",
				 pod_security(), "containers", container(s), "volumes", "name",
				 TMP_VOLUME, "emptyDir");

	if (settings->image_pull_secret != NULL)
		spec = object_with(spec, "imagePullSecrets",
				   json_pack("[{s:s}]", "name", settings->image_pull_secret));
	return json_pack("{s:{s:o, s:o}, s:o}", "metadata", "labels", sandbox_labels(s),
			 "annotations", pod_annotations(s), "spec", spec);
}

/* The annotations are what the Sealos launchpad shows of a volume: where, and how many GiB. */
static json_t *home_claim(const struct manifest_sandbox *s,
			  const struct manifest_settings *settings)
{
	CLEANUP(cleanup_free)
	char *gibibytes = mem_printf("%llu", (unsigned long long)quantity_gibibytes(s->home_size));

	return json_pack("{s:{s:s, s:o, s:{s:s, s:s}}, s:{s:[s], s:{s:{s:o}}, s:s*}}", "metadata",
			 "name", HOME_VOLUME, "labels", sandbox_labels(s), "annotations", "path",
			 HOME_PATH, "value", gibibytes, "spec", "accessModes", "ReadWriteOnce",
			 "resources", "requests", "storage", object_quantity(s->home_size),
			 "storageClassName", settings->storage_class);
}

static json_t *annotations(const struct manifest_sandbox *s, const char *hash)
{
	return json_pack("{s:s, s:s, s:s, s:o, s:s}", "originImageName", s->image,
			 "deploy.cloud.sealos.io/minReplicas", "1",
			 "deploy.cloud.sealos.io/maxReplicas", "1", "deploy.cloud.sealos.io/resize",
			 object_quantity(s->home_size), MANIFEST_ANNOTATION_HASH, hash);
}

/*
 * As the Sealos launchpad makes them, with two differences. No minReadySeconds: with one replica
 * it would only keep a terminal that works from being told as ready. And the pods are managed in
 * parallel: "in order" would wait for a broken pod to become ready before it is replaced by the
 * one with the repaired image or environment (kubernetes.io, StatefulSet, "forced rollback").
 */
static json_t *spec(const struct manifest_sandbox *s, const struct manifest_settings *settings)
{
	CLEANUP(cleanup_free) char *service = sandbox_part_name(s, "service");

	return json_pack("{s:i, s:s, s:i, s:s, s:{s:{s:s}}, s:{s:s, s:s}, s:o, s:[o]}", "replicas",
			 s->stopped ? 0 : 1, "serviceName", service, "revisionHistoryLimit", 1,
			 "podManagementPolicy", "Parallel", "selector", "matchLabels", "app",
			 s->name, "persistentVolumeClaimRetentionPolicy", "whenDeleted", "Delete",
			 "whenScaled", "Retain", "template", pod(s, settings),
			 "volumeClaimTemplates", home_claim(s, settings));
}

json_t *manifest_stateful_set(const struct manifest_sandbox *s,
			      const struct manifest_settings *settings, const char *hash)
{
	json_t *object = object_make("apps/v1", "StatefulSet", s->name, s->namespace,
				     sandbox_labels(s), annotations(s, hash));

	return object_with(object, "spec", spec(s, settings));
}
