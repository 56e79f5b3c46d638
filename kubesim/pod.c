#include "pod.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/parse.h"
#include "controllers.h"
#include "events.h"
#include "pod_status.h"
#include "quantity.h"
#include "write.h"

#define ANNOTATION "stand.fullstackagent.io/"

/* Two nodes of this size; a pod that fits neither is unschedulable. Usage is not summed up. */
enum { NODE_CPU = 64, NODE_MEMORY_GI = 256, NODE_COUNT = 2 };
enum { MOMENT_MS = 200, CRASH_RUN_MS = 500, LOOK_AGAIN_MS = 500 };

/* What a node knows about a pod. */
struct run {
	enum pod_stage stage;
	uint64_t since_ms;
	long long restarts;
};

/* ---- settings in the pod --------------------------------------------------------------------- */

static uint64_t annotated_ms(const json_t *json, const char *name, uint64_t otherwise)
{
	CLEANUP(cleanup_free) char *key = mem_printf(ANNOTATION "%s", name);
	const json_t *annotations = json_path(json, "metadata.annotations");
	const char *text = json_string_value(json_object_get(annotations, key));
	uint64_t ms;

	return text != NULL && parse_duration_ms(text, &ms) ? ms : otherwise;
}

uint64_t pod_gone_after_ms(const struct sim *sim, const struct object *pod)
{
	CLEANUP(json_decrefp) json_t *json = object_json(pod);

	return annotated_ms(json, "gone-after", sim->settings.gone_after_ms);
}

static bool image_ends_with(const json_t *pod, const char *suffix)
{
	size_t i;
	json_t *container;

	json_array_foreach(json_path(pod, "spec.containers"), i, container)
	{
		const char *image = json_path_text(container, "image");
		size_t length = strlen(image), wanted = strlen(suffix);
		if (length >= wanted && strcmp(image + length - wanted, suffix) == 0)
			return true;
	}
	return false;
}

/* Whether a registry is under .invalid, with or without a port. */
static bool image_is_invalid(const json_t *pod)
{
	size_t i;
	json_t *container;

	json_array_foreach(json_path(pod, "spec.containers"), i, container)
	{
		const char *image = json_path_text(container, "image");
		size_t registry = strcspn(image, "/:");
		if (strchr(image, '/') != NULL && registry >= 8 &&
		    strncmp(image + registry - 8, ".invalid", 8) == 0)
			return true;
	}
	return false;
}

enum fate { FATE_READY, FATE_CRASH, FATE_IMAGE, FATE_MOUNT, FATE_NEVER_READY };

static bool has_effect(const struct sim *sim, const struct object *pod, enum effect effect)
{
	return effects_hit(sim->effects, effect, pod->namespace, pod->name, pod->uid);
}

static enum fate fate_of(const struct sim *sim, const struct object *pod, const json_t *json)
{
	if (image_is_invalid(json) || has_effect(sim, pod, EFFECT_IMAGE))
		return FATE_IMAGE;
	if (image_ends_with(json, ":crash-loop") || has_effect(sim, pod, EFFECT_CRASH))
		return FATE_CRASH;
	if (image_ends_with(json, ":mount-failure") || has_effect(sim, pod, EFFECT_MOUNT))
		return FATE_MOUNT;
	if (has_effect(sim, pod, EFFECT_NEVER_READY))
		return FATE_NEVER_READY;
	return FATE_READY;
}

/* ---- scheduling ------------------------------------------------------------------------------ */

static long long requested(const json_t *pod, const char *name)
{
	size_t i;
	json_t *container;
	long long sum = 0, milli;

	json_array_foreach(json_path(pod, "spec.containers"), i, container)
	{
		const json_t *requests = json_path(container, "resources.requests");
		if (quantity_milli(json_string_value(json_object_get(requests, name)), &milli))
			sum += milli;
	}
	return sum;
}

static bool claims_are_bound(const struct sim *sim, const struct object *pod, const json_t *json)
{
	size_t i;
	json_t *volume;

	json_array_foreach(json_path(json, "spec.volumes"), i, volume)
	{
		const char *name = json_path_text(volume, "persistentVolumeClaim.claimName");
		const struct object *claim =
			name[0] != '\0' ? store_get(sim->store, KIND_CLAIM, pod->namespace, name)
					: NULL;
		if (name[0] == '\0')
			continue;
		if (claim == NULL || !claim->is_ready)
			return false;
	}
	return true;
}

/* Returns why no node takes the pod, or NULL. */
static const char *unschedulable(const struct sim *sim, const struct object *pod,
				 const json_t *json)
{
	if (requested(json, "cpu") > NODE_CPU * 1000LL ||
	    has_effect(sim, pod, EFFECT_UNSCHEDULABLE))
		return "0/2 nodes are available: 2 Insufficient cpu. preemption: 0/2 nodes are "
		       "available: 2 Preemption is not helpful for scheduling.";
	if (requested(json, "memory") > NODE_MEMORY_GI * (1LL << 30) * 1000)
		return "0/2 nodes are available: 2 Insufficient memory. preemption: 0/2 nodes are "
		       "available: 2 Preemption is not helpful for scheduling.";
	if (!claims_are_bound(sim, pod, json))
		return "0/2 nodes are available: pod has unbound immediate "
		       "PersistentVolumeClaims. preemption: 0/2 nodes are available: 2 Preemption "
		       "is not helpful for scheduling.";
	return NULL;
}

static void schedule(struct sim *sim, struct object *pod, json_t *json, struct run *run)
{
	const char *why = unschedulable(sim, pod, json);
	char node[16];

	queue_add(sim->queue, CONTROLLER_POD, pod->namespace, pod->name,
		  why != NULL ? LOOK_AGAIN_MS : 0);
	if (why != NULL && run->stage == POD_UNSCHEDULABLE)
		return;
	run->since_ms = clock_ms();
	run->stage = why != NULL ? POD_UNSCHEDULABLE : POD_CREATING;
	if (why != NULL) {
		event_warn(sim, pod, "default-scheduler", "FailedScheduling", "%s", why);
	} else {
		snprintf(node, sizeof(node), "node-%u",
			 (unsigned)(sim->addresses++ % NODE_COUNT) + 1);
		json_path_set(json, "spec.nodeName", json_string(node));
	}
	pod_status_set(json, run->stage,
		       &(struct pod_view) { .reason = why, .address = sim->addresses });
	write_status(sim, pod, json);
}

/* ---- running --------------------------------------------------------------------------------- */

/* The next stage and the duration of the present one. If it is the present one again, nothing is
 * due. */
struct step {
	enum pod_stage next;
	uint64_t after_ms;
};

static struct step step_of(const struct sim *sim, const json_t *pod, enum pod_stage stage,
			   enum fate fate)
{
	uint64_t ready = annotated_ms(pod, "ready-after", sim->settings.ready_after_ms);
	bool runs = stage == POD_READY || stage == POD_NOT_READY || stage == POD_CRASH_RUN;

	switch (fate) {
	case FATE_CRASH:
		if (stage == POD_CRASH_WAIT)
			return (struct step) { POD_CRASH_RUN, sim->settings.backoff_ms };
		if (runs)
			return (struct step) { POD_CRASH_WAIT, CRASH_RUN_MS };
		return (struct step) { POD_CRASH_RUN, MOMENT_MS };
	case FATE_IMAGE:
		return (struct step) { runs ? stage : POD_IMAGE_WAIT, MOMENT_MS };
	case FATE_MOUNT:
		return (struct step) { runs ? stage : POD_MOUNT_WAIT, MOMENT_MS };
	case FATE_NEVER_READY:
		return (struct step) { POD_NOT_READY, runs ? 0 : ready };
	case FATE_READY:
		break;
	}
	if (stage == POD_MOUNT_WAIT)
		return (struct step) { POD_CREATING, 0 };
	if (stage == POD_CRASH_WAIT)
		return (struct step) { POD_READY, sim->settings.backoff_ms };
	return (struct step) { POD_READY, runs ? 0 : ready };
}

static void report_event(struct sim *sim, const struct object *pod, enum pod_stage stage,
			 const json_t *json)
{
	const json_t *container = json_array_get(json_path(json, "spec.containers"), 0);
	const char *image = json_path_text(container, "image");

	if (stage == POD_IMAGE_WAIT) {
		event_warn(sim, pod, "kubelet", "Failed",
			   "Failed to pull image \"%s\": failed to resolve reference \"%s\": no "
			   "such host",
			   image, image);
		event_note(sim, pod, "kubelet", "BackOff", "Back-off pulling image \"%s\"", image);
	}
	if (stage == POD_CREATING)
		event_note(sim, pod, "kubelet", "Pulling", "Pulling image \"%s\"", image);
	if (stage == POD_MOUNT_WAIT)
		event_warn(sim, pod, "kubelet", "FailedMount",
			   "MountVolume.SetUp failed for volume \"home\" : rpc error: code = "
			   "Internal desc = mount failed: exit status 32");
	if (stage == POD_CRASH_WAIT)
		event_warn(sim, pod, "kubelet", "BackOff",
			   "Back-off restarting failed container %s in pod %s_%s(%s)",
			   json_path_text(container, "name"), pod->name, pod->namespace, pod->uid);
}

static void enter(struct sim *sim, struct object *pod, json_t *json, struct run *run,
		  enum pod_stage stage)
{
	if (stage == POD_CRASH_WAIT)
		run->restarts++;
	run->stage = stage;
	run->since_ms = clock_ms();
	pod_status_set(
		json, stage,
		&(struct pod_view) { .restarts = run->restarts, .address = ++sim->addresses });
	report_event(sim, pod, stage, json);
	write_status(sim, pod, json);
}

static void proceed(struct sim *sim, struct object *pod, json_t *json, struct run *run)
{
	struct step step = step_of(sim, json, run->stage, fate_of(sim, pod, json));
	uint64_t age = clock_ms() - run->since_ms;

	if (step.next == run->stage)
		return;
	if (age >= step.after_ms) {
		enter(sim, pod, json, run, step.next);
		return;
	}
	queue_add(sim->queue, CONTROLLER_POD, pod->namespace, pod->name, step.after_ms - age);
}

static struct run *run_of(struct sim *sim, const char *uid)
{
	struct run *run = map_get(sim->runs, uid);

	if (run == NULL) {
		run = mem_calloc(1, sizeof(*run));
		run->since_ms = clock_ms();
		map_set(sim->runs, uid, run);
	}
	return run;
}

void pod_look(struct sim *sim, const char *namespace, const char *name)
{
	struct object *pod = store_get(sim->store, KIND_POD, namespace, name);

	if (pod == NULL || pod->deleting)
		return;
	CLEANUP(json_decrefp) json_t *json = object_json(pod);
	struct run *run = run_of(sim, pod->uid);
	if (json_path_text(json, "spec.nodeName")[0] == '\0')
		schedule(sim, pod, json, run);
	else if (!sim->settings.has_kubelet)
		proceed(sim, pod, json, run);
}

/* Whether a kubelet runs the pod, and so removes it when it has ended. */
static bool is_kubelets(const struct sim *sim, const struct object *pod)
{
	return sim->settings.has_kubelet && object_field(pod, "spec.nodeName")[0] != '\0';
}

void pod_end(struct sim *sim, const char *namespace, const char *name)
{
	struct object *pod = store_get(sim->store, KIND_POD, namespace, name);

	if (pod == NULL || !pod->deleting || is_kubelets(sim, pod))
		return;
	if (pod->has_finalizers || has_effect(sim, pod, EFFECT_STUCK))
		queue_add(sim->queue, CONTROLLER_POD_END, namespace, name, LOOK_AGAIN_MS);
	else
		write_remove(sim, pod);
}

void pod_forget(struct sim *sim, const struct object *pod)
{
	free(map_remove(sim->runs, pod->uid));
}

bool pod_uses_claim(const struct sim *sim, const char *namespace, const char *claim)
{
	size_t count, i, j;
	CLEANUP(cleanup_free)
	struct object **pods = store_list(sim->store, KIND_POD, namespace, NULL, &count);

	for (i = 0; i < count; i++) {
		CLEANUP(json_decrefp) json_t *pod = object_json(pods[i]);
		json_t *volume;
		json_array_foreach(json_path(pod, "spec.volumes"), j, volume)
		{
			if (strcmp(json_path_text(volume, "persistentVolumeClaim.claimName"),
				   claim) == 0)
				return true;
		}
	}
	return false;
}
