#include "reconcile/checks.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/heartbeat.h"
#include "base/log.h"
#include "base/mem.h"
#include "reconcile/bill.h"
#include "reconcile/findings.h"
#include "reconcile/sample.h"
#include "store/kubeconfig_check.h"

/* Fractions of the places for rows: as many more are for checks, and for slow checks. */
enum { PLACES_PART = 8, SLOW_PART = 32 };

/* The checks of one claim, from which their strings are borrowed. */
struct batch {
	struct kubeconfig_checks claimed;
	size_t unfinished;
};

struct check {
	TAILQ_ENTRY(check) link;
	struct checks *checks;
	struct batch *batch;
	const struct kubeconfig_check *claimed;
	struct kube_target *share; /* NULL: it could not be made */
	uint64_t claimed_ms;
	uint64_t took_ms;
	unsigned pending; /* requests in flight */
	struct probe {
		struct check *check;
		struct probe_answer answer;
	} probes[PROBE_COUNT];
	struct err failure; /* if there is no share */
};
TAILQ_HEAD(check_list, check);

struct checks {
	struct checks_context context;
	struct check_list waiting, under_way, over;
	size_t quick, slow; /* how many of these */
};

static size_t places(const struct conf *conf, const struct queue_shard *shard, unsigned part)
{
	part *= shard->count;
	return (conf_number(conf, CONF_ROWS_IN_FLIGHT) + part - 1) / part;
}

size_t checks_places(const struct conf *conf, const struct queue_shard *shard)
{
	return places(conf, shard, PLACES_PART) + places(conf, shard, SLOW_PART);
}

struct checks *checks_new(const struct checks_context *context)
{
	struct checks *checks = mem_calloc(1, sizeof(*checks));

	checks->context = *context;
	TAILQ_INIT(&checks->waiting);
	TAILQ_INIT(&checks->under_way);
	TAILQ_INIT(&checks->over);
	return checks;
}

static void batch_release(struct batch *b)
{
	if (--b->unfinished > 0)
		return;
	kubeconfig_checks_clear(&b->claimed);
	free(b);
}

static size_t *count_of(struct check *c)
{
	return c->claimed->slow ? &c->checks->slow : &c->checks->quick;
}

static void check_free(struct check *c, struct check_list *list)
{
	TAILQ_REMOVE(list, c, link);
	(*count_of(c))--;
	for (unsigned i = 0; i < PROBE_COUNT; i++)
		json_decref(c->probes[i].answer.body);
	kube_target_free(c->share);
	batch_release(c->batch);
	free(c);
}

static void free_list(struct check_list *list)
{
	struct check *next;

	for (struct check *c = TAILQ_FIRST(list); c != NULL; c = next) {
		next = TAILQ_NEXT(c, link);
		check_free(c, list);
	}
}

void checks_free(struct checks *checks)
{
	if (checks == NULL)
		return;
	free_list(&checks->waiting);
	free_list(&checks->under_way);
	free_list(&checks->over);
	free(checks);
}

size_t checks_under_way(const struct checks *checks)
{
	return checks->quick + checks->slow;
}

/* ---- claiming -------------------------------------------------------------------------------- */

static void add(struct checks *checks, struct batch *b, size_t index)
{
	struct check *c = mem_calloc(1, sizeof(*c));

	c->checks = checks;
	c->batch = b;
	c->claimed = &b->claimed.items[index];
	c->claimed_ms = clock_ms();
	(*count_of(c))++;
	TAILQ_INSERT_TAIL(&checks->waiting, c, link);
}

int checks_claim(struct checks *checks, const char *foreign_keys, struct err *e)
{
	const struct conf *conf = checks->context.conf;
	const struct queue_shard *shard = &checks->context.shard;
	const struct kubeconfig_check_claim claim = {
		.shard = *shard,
		.limit = (unsigned)(places(conf, shard, PLACES_PART) - checks->quick),
		.slow_limit = (unsigned)(places(conf, shard, SLOW_PART) - checks->slow),
		.lease_ms = conf_number(conf, CONF_LEASE_TIME),
		.foreign_keys = foreign_keys,
	};
	struct batch *b = mem_calloc(1, sizeof(*b));

	if (kubeconfig_check_claim(checks->context.db, &claim, &b->claimed, e) < 0) {
		free(b);
		return -1;
	}
	size_t count = b->claimed.count;
	b->unfinished = count + 1;
	for (size_t i = 0; i < count; i++)
		add(checks, b, i);
	batch_release(b);
	return 0;
}

bool checks_wait(const struct checks *checks)
{
	return !TAILQ_EMPTY(&checks->waiting);
}

/* ---- one check ------------------------------------------------------------------------------- */

static void finish(struct check *c)
{
	c->took_ms = clock_ms() - c->claimed_ms;
	TAILQ_REMOVE(&c->checks->under_way, c, link);
	TAILQ_INSERT_TAIL(&c->checks->over, c, link);
}

static void request_over(struct check *c)
{
	if (--c->pending == 0)
		finish(c);
}

static void probe_done(void *user, const struct kube_answer *answer)
{
	struct probe *probe = user;

	probe->answer = (struct probe_answer) {
		.ok = answer->ok,
		.http_status = answer->http_status,
		.err = answer->err,
		.body = answer->ok ? json_incref(answer->body) : NULL,
	};
	request_over(probe->check);
}

static struct probe *probe_of(struct check *c, enum probe_kind which)
{
	struct probe *probe = &c->probes[which];

	probe->check = c;
	c->pending++;
	return probe;
}

static void try_object(struct check *c, struct kube_client *client, enum probe_kind which,
		       json_t *object)
{
	kube_submit_dry_run(client, c->share, object, probe_done, probe_of(c, which));
}

static void submit(struct check *c, struct kube_client *client)
{
	const struct checks_context *context = &c->checks->context;
	CLEANUP(sample_clear) struct sample sample = { 0 };

	sample_make(context->conf, context->settings, c->claimed->user_id,
		    kube_target_namespace(c->share), &sample);
	c->pending = 1; /* so that it does not end before its last request is submitted */
	kube_submit_rules_review(client, c->share, probe_done, probe_of(c, PROBE_RULES));
	kube_submit_namespace(client, c->share, probe_done, probe_of(c, PROBE_NAMESPACE));
	try_object(c, client, PROBE_STATEFUL_SET, sample.stateful_set);
	try_object(c, client, PROBE_POD, sample.pod);
	try_object(c, client, PROBE_VOLUME, sample.volume);
	try_object(c, client, PROBE_CLUSTER, sample.cluster);
	try_object(c, client, PROBE_CLUSTER_V1, sample.cluster_v1);
	kube_submit_types(client, c->share, KUBE_CLUSTERS, probe_done, probe_of(c, PROBE_TYPES));
	kube_submit_types(client, c->share, KUBE_CLUSTERS_V1, probe_done,
			  probe_of(c, PROBE_TYPES_V1));
	request_over(c);
}

static void start(struct check *c, struct kube_client *client)
{
	const struct access_kubeconfig kubeconfig = {
		.cluster_id = c->claimed->cluster_id,
		.user_id = c->claimed->user_id,
		.version = c->claimed->version,
		.sealed = c->claimed->sealed,
		.sealed_length = c->claimed->sealed_length,
	};
	struct kube_target *target;

	TAILQ_REMOVE(&c->checks->waiting, c, link);
	TAILQ_INSERT_TAIL(&c->checks->under_way, c, link);
	if (access_open(c->checks->context.access, &kubeconfig, &target, &c->failure) < 0) {
		finish(c);
		return;
	}
	c->share = kube_target_share(target, c->checks->context.memory, 1);
	submit(c, client);
}

void checks_start(struct checks *checks, struct kube_client *client)
{
	while (!TAILQ_EMPTY(&checks->waiting))
		start(TAILQ_FIRST(&checks->waiting), client);
}

/* ---- recording ------------------------------------------------------------------------------- */

/* A request that was not sent in time says nothing about the cluster. */
static bool was_sent(const struct check *c)
{
	for (unsigned i = 0; i < PROBE_COUNT; i++) {
		const struct probe_answer *answer = &c->probes[i].answer;
		if (!answer->ok && strcmp(answer->err.code, KUBE_NOT_SENT) == 0)
			return false;
	}
	return true;
}

static json_t *findings(const struct check *c)
{
	struct probe_answer answers[PROBE_COUNT];

	if (c->share == NULL)
		return findings_of_failure(&c->failure);
	for (unsigned i = 0; i < PROBE_COUNT; i++)
		answers[i] = c->probes[i].answer;
	return was_sent(c) ? findings_of(answers) : NULL;
}

/* What the user is charged for: the API server has done its part if any response is useful. */
static enum bill_outcome outcome(const struct check *c)
{
	bool connected = false;

	for (unsigned i = 0; i < PROBE_COUNT; i++) {
		const struct probe_answer *answer = &c->probes[i].answer;
		if (answer->ok)
			return BILL_SUCCEEDED;
		connected = connected || answer->err.kind != ERR_KUBE_UNREACHABLE;
	}
	return connected && was_sent(c) ? BILL_FAILED : BILL_TRIED;
}

static int record(const struct check *c, const json_t *found, struct err *e)
{
	struct db *db = c->checks->context.db;
	struct bill bill = { .count = 0 };

	bill_add(&bill, c->claimed->user_id, c->claimed->slow, outcome(c));
	if (bill_charge(&bill, db, e) < 0)
		return -1;
	return kubeconfig_check_record(db, c->claimed, found, c->took_ms, e);
}

void checks_record(struct checks *checks)
{
	struct check *next;
	struct err e;

	for (struct check *c = TAILQ_FIRST(&checks->over); c != NULL; c = next) {
		heartbeat_owner(c->claimed->user_id); /* whose responses these are */
		json_auto_t *found = findings(c);
		heartbeat_owner(NULL);
		next = TAILQ_NEXT(c, link);
		if (record(c, found, &e) < 0)
			log_err(LOG_LEVEL_WARNING,
				"the result of a kubeconfig check was not recorded", &e);
		check_free(c, &checks->over);
	}
}

bool checks_are_over(const struct checks *checks)
{
	return !TAILQ_EMPTY(&checks->over);
}
