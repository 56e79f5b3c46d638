/* What is particular to the work on a database: its credentials, its volumes and its pods. */
#include "base/cleanup.h"
#include "base/mem.h"
#include "reconcile/compare.h"
#include "reconcile/obstacle.h"
#include "reconcile/work_internal.h"

/* ---- credentials ------------------------------------------------------------------------------
 */

const json_t *work_live_cluster(const struct work *w)
{
	return observation_object(w->observation, KUBE_CLUSTERS, w->row.id, w->row.name);
}

static void credentials_read(struct work *w)
{
	if (w->failed && w->err.kind != ERR_KUBE_NOT_FOUND) {
		work_conclude_failure(w);
		return;
	}
	if (!w->failed && credentials_learn(&w->credentials, w->answer, work_live_cluster(w),
					    &w->row, w->context->wanted, &w->err) < 0) {
		work_conclude_failure(w);
		return;
	}
	if (compare_row(w->context->wanted, &w->row, w->variables, w->observation, &w->assessment,
			&w->err) < 0) {
		work_conclude_failure(w);
		return;
	}
	work_decide_and_act(w);
}

void work_read_credentials(struct work *w)
{
	CLEANUP(cleanup_free) char *name = credentials_secret_name(w->row.name);

	if (!work_wave_begin(w, credentials_read))
		return;
	w->pending++;
	kube_submit_get(w->context->client, w->target, KUBE_SECRETS, name, work_read_done, w);
	work_wave_ready(w);
}

/* ---- what KubeBlocks makes --------------------------------------------------------------------
 */

/* It carries KubeBlocks' labels, not ours. */
static void list_instance(struct work *w, enum kube_resource kind, void (*next)(struct work *))
{
	CLEANUP(cleanup_free)
	char *selector = mem_printf("app.kubernetes.io/instance=%s", w->row.name);
	const struct kube_list list = { .resource = kind, .label_selector = selector };

	if (!work_wave_begin(w, next))
		return;
	w->pending++;
	kube_submit_list(w->context->client, w->target, &list, work_read_done, w);
	work_wave_ready(w);
}

static void delete_volumes(struct work *w)
{
	size_t i;
	json_t *claim;

	if (w->failed) {
		work_conclude_failure(w);
		return;
	}
	if (json_array_size(json_object_get(w->answer, "items")) > 0)
		w->assessment.seen = SEEN_DELETING;
	w->assessment.has_obstacle =
		obstacle_among(&w->row, KUBE_PERSISTENT_VOLUME_CLAIMS,
			       json_object_get(w->answer, "items"), &w->assessment.obstacle);
	work_decide_on(w, w->assessment.seen);
	if (w->decision.action != ACTION_DELETE) {
		work_act(w);
		return;
	}
	if (!work_wave_begin(w, work_conclude_wave))
		return;
	json_array_foreach(json_object_get(w->answer, "items"), i, claim)
	{
		work_delete_object(w, KUBE_PERSISTENT_VOLUME_CLAIMS, claim);
	}
	work_wave_ready(w);
}

/* That the Cluster is gone does not say that its volumes are. */
void work_read_volumes(struct work *w)
{
	list_instance(w, KUBE_PERSISTENT_VOLUME_CLAIMS, delete_volumes);
}

/* Not being able to read them is no failure of the database. */
static void pods_read(struct work *w)
{
	struct assessment *a = &w->assessment;
	const json_t *pods = w->failed ? NULL : json_object_get(w->answer, "items");

	if (obstacle_among(&w->row, KUBE_PODS, pods, &a->obstacle))
		a->has_obstacle = true;
	work_decide_and_act(w);
}

/* A Cluster that takes long to stop or to go: its pods tell why. */
bool work_awaits_pods(const struct work *w)
{
	enum { EXPECTED_MS = 10000 };
	const struct assessment *a = &w->assessment;
	bool stops = w->row.desired == DESIRED_STOPPED && a->seen == SEEN_PROGRESSING;

	return w->row.kind == RESOURCE_DATABASE && w->row.status_age_ms > EXPECTED_MS &&
	       (stops || a->seen == SEEN_DELETING);
}

void work_read_pods(struct work *w)
{
	list_instance(w, KUBE_PODS, pods_read);
}
