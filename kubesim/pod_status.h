#ifndef KUBESIM_POD_STATUS_H
#define KUBESIM_POD_STATUS_H

#include <stdint.h>

#include <jansson.h>

/* What a pod's status says at each stage of its life. */
enum pod_stage {
	POD_NEW,
	POD_UNSCHEDULABLE,
	POD_CREATING,
	POD_READY,
	POD_NOT_READY,
	POD_IMAGE_WAIT,
	POD_MOUNT_WAIT,
	POD_CRASH_RUN,
	POD_CRASH_WAIT,
	POD_STAGE_COUNT
};

struct pod_view {
	const char *reason; /* POD_UNSCHEDULABLE: why */
	long long restarts;
	uint64_t address; /* of a pod that gets one */
};

/* Sets `status` of a pod. An address that it has stays. */
void pod_status_set(json_t *pod, enum pod_stage stage, const struct pod_view *view);

#endif
