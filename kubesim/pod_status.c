#include "pod_status.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "object.h"
#include "sim.h"

struct row {
	const char *phase;
	bool scheduled, ready, running, terminated_before;
	const char *waiting; /* the containers' reason for waiting */
};

static const struct row rows[POD_STAGE_COUNT] = {
	[POD_NEW] = { .phase = "Pending" },
	[POD_UNSCHEDULABLE] = { .phase = "Pending" },
	[POD_CREATING] = { .phase = "Pending", .scheduled = true, .waiting = "ContainerCreating" },
	[POD_READY] = { .phase = "Running", .scheduled = true, .ready = true, .running = true },
	[POD_NOT_READY] = { .phase = "Running", .scheduled = true, .running = true },
	[POD_IMAGE_WAIT] = { .phase = "Pending", .scheduled = true, .waiting = "ImagePullBackOff" },
	[POD_MOUNT_WAIT] = { .phase = "Pending",
			     .scheduled = true,
			     .waiting = "ContainerCreating" },
	[POD_CRASH_RUN] = { .phase = "Running",
			    .scheduled = true,
			    .running = true,
			    .terminated_before = true },
	[POD_CRASH_WAIT] = { .phase = "Running",
			     .scheduled = true,
			     .terminated_before = true,
			     .waiting = "CrashLoopBackOff" },
};

static json_t *waiting_of(const struct row *row, const json_t *pod, const json_t *container)
{
	json_t *waiting = json_pack("{s:s}", "reason", row->waiting);
	CLEANUP(cleanup_free) char *message = NULL;

	if (strcmp(row->waiting, "ImagePullBackOff") == 0)
		message = mem_printf("Back-off pulling image \"%s\": ErrImagePull: failed to "
				     "resolve reference \"%s\": no such host",
				     json_path_text(container, "image"),
				     json_path_text(container, "image"));
	if (strcmp(row->waiting, "CrashLoopBackOff") == 0)
		message = mem_printf("back-off 10s restarting failed container=%s pod=%s_%s(%s)",
				     json_path_text(container, "name"),
				     json_path_text(pod, "metadata.name"),
				     json_path_text(pod, "metadata.namespace"),
				     json_path_text(pod, "metadata.uid"));
	if (message != NULL)
		json_object_set_new(waiting, "message", json_string(message));
	return json_pack("{s:o}", "waiting", waiting);
}

static json_t *container_status(const struct row *row, const json_t *pod, const json_t *container,
				const struct pod_view *view, const char *now)
{
	const char *image = json_path_text(container, "image");
	json_t *status =
		json_pack("{s:s, s:s, s:s, s:b, s:b, s:I}", "name",
			  json_path_text(container, "name"), "image", image, "imageID",
			  row->running || row->terminated_before ? image : "", "ready", row->ready,
			  "started", row->running, "restartCount", (json_int_t)view->restarts);

	if (row->running)
		json_path_set(status, "state.running.startedAt", json_string(now));
	else
		json_object_set_new(status, "state", waiting_of(row, pod, container));
	if (view->restarts > 0)
		json_path_set(status, "lastState.terminated",
			      json_pack("{s:i, s:s, s:s, s:s}", "exitCode", 1, "reason", "Error",
					"startedAt", now, "finishedAt", now));
	return status;
}

static json_t *condition(const char *type, bool holds, const char *reason, const char *message,
			 const char *now)
{
	json_t *c = json_pack("{s:s, s:s, s:s}", "type", type, "status", holds ? "True" : "False",
			      "lastTransitionTime", now);

	if (!holds && reason != NULL)
		json_object_set_new(c, "reason", json_string(reason));
	if (!holds && message != NULL)
		json_object_set_new(c, "message", json_string(message));
	return c;
}

static json_t *conditions_of(const struct row *row, const struct pod_view *view, const char *now)
{
	static const char unready[] = "ContainersNotReady";
	json_t *list = json_pack("[o]", condition("PodScheduled", row->scheduled, "Unschedulable",
						  view->reason, now));

	if (!row->scheduled)
		return list;
	json_array_append_new(list, condition("Initialized", true, NULL, NULL, now));
	json_array_append_new(list, condition("ContainersReady", row->ready, unready, NULL, now));
	json_array_append_new(list, condition("Ready", row->ready, unready, NULL, now));
	return list;
}

static void give_address(json_t *status, const struct pod_view *view)
{
	CLEANUP(cleanup_free)
	char *address =
		mem_printf("10.%u.%u.%u", 224 + (unsigned)(view->address >> 16 & 15),
			   (unsigned)(view->address >> 8 & 255), (unsigned)(view->address & 255));

	json_object_set_new(status, "podIP", json_string(address));
	json_object_set_new(status, "podIPs", json_pack("[{s:s}]", "ip", address));
}

void pod_status_set(json_t *pod, enum pod_stage stage, const struct pod_view *view)
{
	const struct row *row = &rows[stage];
	json_t *status = json_object_get(pod, "status"), *container;
	json_t *containers = json_array();
	char now[TIME_LENGTH];
	size_t i;

	sim_time(0, now);
	json_object_set_new(status, "phase", json_string(row->phase));
	json_object_set_new(status, "conditions", conditions_of(row, view, now));
	if (row->scheduled) {
		json_array_foreach(json_path(pod, "spec.containers"), i, container)
		{
			json_array_append_new(containers,
					      container_status(row, pod, container, view, now));
		}
		json_object_set(status, "containerStatuses", containers);
		if (json_object_get(status, "startTime") == NULL)
			json_object_set_new(status, "startTime", json_string(now));
		json_object_set_new(status, "hostIP", json_string("10.0.0.1"));
	}
	json_decref(containers);
	if (row->running && json_object_get(status, "podIP") == NULL)
		give_address(status, view);
}
