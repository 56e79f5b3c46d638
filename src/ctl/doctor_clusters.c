/* Checks of the users' clusters: what is wrong there is a warning, as it hurts one user only. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "ctl/clusters.h"
#include "ctl/doctor.h"
#include "ctl/output.h"
#include "domain/cause.h"
#include "manifest/manifest.h"

/* Somebody who does not come back soon should know before. */
enum { EXPIRES_SOON_S = 24 * 3600 };

/* What two requests to one user's cluster answered. */
struct look {
	struct kube_answer sandboxes, databases;
};

static void keep_answer(void *user, const struct kube_answer *answer)
{
	struct kube_answer *kept = user;

	*kept = *answer;
	kept->body = NULL;
}

static void ask(struct kube_client *client, struct cluster *cluster, struct look *look)
{
	static const struct kube_list sandboxes = { .resource = KUBE_STATEFULSETS,
						    .label_selector = MANIFEST_SELECTOR,
						    .metadata_only = true };
	static const struct kube_list databases = { .resource = KUBE_CLUSTERS,
						    .label_selector = MANIFEST_SELECTOR,
						    .metadata_only = true };

	if (cluster->target == NULL)
		return;
	kube_submit_list(client, cluster->target, &sandboxes, keep_answer, &look->sandboxes);
	kube_submit_list(client, cluster->target, &databases, keep_answer, &look->databases);
}

static void say_kube_error(struct doctor *d, const struct cluster *cluster, const struct err *e)
{
	doctor_say_error(d, HEALTH_WARNING, cluster->access->user_name,
			 cause_advice(e->kind, e->code), e);
}

static void judge_expiry(struct doctor *d, const struct admin_access *a)
{
	const char *advice = cause_advice(ERR_KUBE_UNAUTHORIZED, NULL);
	CLEANUP(cleanup_free)
	char *distance = output_duration((uint64_t)llabs(a->expires_in_s) * 1000);

	if (a->expires_at == NULL)
		return;
	if (a->expires_in_s <= 0)
		doctor_say(d, HEALTH_WARNING, a->user_name, advice,
			   "the credentials expired %s ago", distance);
	else if (a->expires_in_s < EXPIRES_SOON_S)
		doctor_say(d, HEALTH_WARNING, a->user_name, advice, "the credentials expire in %s",
			   distance);
}

static void judge(struct doctor *d, const struct cluster *cluster, const struct look *look)
{
	const struct admin_access *a = cluster->access;

	judge_expiry(d, a);
	if (cluster->target == NULL) {
		say_kube_error(d, cluster, &cluster->err);
		return;
	}
	if (!look->sandboxes.ok) {
		say_kube_error(d, cluster, &look->sandboxes.err);
		return;
	}
	doctor_say(d, HEALTH_OK, a->user_name, NULL, "%s lets %s into namespace %s", a->server,
		   a->account, a->namespace);
	if (look->databases.ok)
		return;
	if (look->databases.err.kind == ERR_KUBE_NOT_FOUND)
		doctor_say(d, HEALTH_WARNING, a->user_name,
			   "install KubeBlocks in that cluster, or create projects without a "
			   "database there",
			   "%s has no KubeBlocks (no clusters.apps.kubeblocks.io)", a->server);
	else
		say_kube_error(d, cluster, &look->databases.err);
}

void doctor_clusters(struct doctor *d)
{
	CLEANUP(clusters_freep) struct clusters *clusters = NULL;
	struct err e;

	if (clusters_open(d->call, d->db, d->user_id, &clusters, &e) < 0) {
		doctor_say_error(d, HEALTH_FAILED, "kubeconfigs",
				 "run as a user who may read the cluster key", &e);
		return;
	}
	size_t count = clusters_count(clusters);
	CLEANUP(cleanup_free) struct look *looks = mem_calloc(count, sizeof(*looks));
	for (size_t i = 0; i < count; i++)
		ask(clusters_client(clusters), clusters_at(clusters, i), &looks[i]);
	clusters_wait(clusters);
	for (size_t i = 0; i < count; i++)
		judge(d, clusters_at(clusters, i), &looks[i]);
}
