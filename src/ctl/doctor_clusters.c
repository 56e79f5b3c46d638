/* Checks of users' clusters. Problems are warnings, as each affects only its user. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "ctl/clusters.h"
#include "ctl/doctor.h"
#include "ctl/output.h"
#include "domain/cause.h"
#include "manifest/manifest.h"

/* Users who rarely log in should know in advance. */
enum { EXPIRES_SOON_S = 24 * 3600 };

/* What one user's cluster answered. */
struct look {
	struct kube_answer sandboxes;
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

	if (cluster->target == NULL)
		return;
	kube_submit_list(client, cluster->target, &sandboxes, keep_answer, &look->sandboxes);
}

#define CLOCK                                                                                      \
	"a clock is wrong, and the kubeconfig may well be right: compare date -u here, on "        \
	"PostgreSQL's host and at the API server; timedatectl set-ntp true keeps this one right"

/* Whether a wrong clock could be the cause: it makes good credentials and certificates look bad. */
static bool may_be_the_clock(const struct doctor *d, const struct err *e)
{
	if (e->kind == ERR_KUBE_TLS)
		return d->clock_is_off || strstr(e->message, "not yet valid") != NULL;
	return e->kind == ERR_KUBE_UNAUTHORIZED && d->clock_is_off;
}

static void say_kube_error(struct doctor *d, const struct cluster *cluster, const struct err *e)
{
	doctor_say_error(d, HEALTH_WARNING, cluster->access->label,
			 may_be_the_clock(d, e) ? CLOCK : cause_advice(e->kind, e->code), e);
}

/* The server decides: credentials that it accepts have not expired. */
static void judge_expiry(struct doctor *d, const struct admin_access *a, bool taken)
{
	const char *advice = cause_advice(ERR_KUBE_UNAUTHORIZED, NULL);
	CLEANUP(cleanup_free)
	char *distance = output_duration((uint64_t)llabs(a->expires_in_s) * 1000);

	if (a->expires_at == NULL)
		return;
	if (a->expires_in_s <= 0)
		doctor_say(d, HEALTH_WARNING, a->label, taken || d->clock_is_off ? CLOCK : advice,
			   "by PostgreSQL's clock the credentials expired %s ago%s", distance,
			   taken ? ", and the API server takes them" : "");
	else if (a->expires_in_s < EXPIRES_SOON_S)
		doctor_say(d, HEALTH_WARNING, a->label, advice, "the credentials expire in %s",
			   distance);
}

static void judge(struct doctor *d, const struct cluster *cluster, const struct look *look)
{
	const struct admin_access *a = cluster->access;

	judge_expiry(d, a, look->sandboxes.ok);
	if (cluster->target == NULL) {
		say_kube_error(d, cluster, &cluster->err);
		return;
	}
	if (!look->sandboxes.ok) {
		say_kube_error(d, cluster, &look->sandboxes.err);
		return;
	}
	doctor_say(d, HEALTH_OK, a->label, NULL, "%s lets %s into namespace %s", a->server,
		   a->account, a->namespace);
}

enum { TOLERATED_S = 120 };

static bool is_off(const struct look *look)
{
	time_t theirs = look->sandboxes.date;

	return theirs != 0 && llabs((long long)theirs - (long long)time(NULL)) > TOLERATED_S;
}

/* If only some API servers disagree with us, their clocks are wrong, which concerns their users. */
static void judge_clocks(struct doctor *d, struct clusters *clusters, const struct look *looks)
{
	size_t count = clusters_count(clusters), answered = 0, off = 0, last = 0;

	for (size_t i = 0; i < count; i++) {
		answered += looks[i].sandboxes.date != 0;
		if (is_off(&looks[i])) {
			off++;
			last = i;
		}
	}
	if (off > 0 && off == answered)
		doctor_judge_clock(d, clusters_at(clusters, last)->access->server,
				   looks[last].sandboxes.date);
}

void doctor_clusters(struct doctor *d)
{
	CLEANUP(clusters_freep) struct clusters *clusters = NULL;
	struct err e;

	if (clusters_open(d->call, d->db, d->user_id, &clusters, &e) < 0) {
		doctor_say_error(d, HEALTH_FAILED, "kubeconfigs",
				 "see what is said of keys above; the private keys are root's", &e);
		return;
	}
	size_t count = clusters_count(clusters);
	CLEANUP(cleanup_free) struct look *looks = mem_calloc(count, sizeof(*looks));
	for (size_t i = 0; i < count; i++)
		ask(clusters_client(clusters), clusters_at(clusters, i), &looks[i]);
	clusters_wait(clusters);
	judge_clocks(d, clusters, looks);
	for (size_t i = 0; i < count; i++)
		judge(d, clusters_at(clusters, i), &looks[i]);
}
