#include "reconcile/pass.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/heartbeat.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "kube/client.h"
#include "reconcile/access.h"
#include "reconcile/announce.h"
#include "reconcile/assess.h"
#include "reconcile/checks.h"
#include "reconcile/work.h"
#include "store/queue.h"

enum {
	LINGER_MS = 2000,     /* a pass waits so long for a row that is about to be due */
	RETRY_MS = 250,       /* between attempts to reach the database */
	RECORD_AT_ONCE = 128, /* results in one transaction */
	CLAIM_REST = 4,       /* times what a claim took, until the next */
	ANNOUNCE_MS = 5000,   /* between saying that a pass is at work here */
	SLOW_MS = 2000,       /* a look that takes a place for so long is slow */
	SLOW_SHARE = 4,       /* users with slow rows share one place in so many */
	SLOW_PACE = 2,        /* times what a slow look took, until the next */
};

/* The rows of one claim, and what their strings are borrowed from. */
struct batch {
	struct queue_rows rows;
	struct queue_variables variables;
	size_t unfinished;
};

struct pass;

/* The rows of a batch that share a target: one observation serves them all. */
struct group {
	struct pass *pass;
	struct kube_target *target;
	struct kube_target *share; /* the same, with room for answers about so many rows */
	unsigned kinds;
	struct observation *observation;
	struct item *items; /* linked by next_in_group */
	size_t unfinished;
};

struct item {
	struct pass *pass;
	struct work *work;
	struct batch *batch;
	struct group *group; /* NULL: never observed */
	uint64_t claimed_ms, took_ms, lease_ends_ms;
	struct item *next_in_group;
	TAILQ_ENTRY(item) link; /* in the pass's list of those in flight, or of those finished */
};

TAILQ_HEAD(item_list, item);

struct pass {
	struct reconciler *r;
	struct pass_summary *summary;
	struct kube_client *client; /* made when first needed: an idle pass needs none */
	struct kube_memory memory;
	struct access *access;
	struct work_context context;
	struct checks *checks; /* of kubeconfigs */
	struct item_list in_work;
	struct item_list finished; /* not recorded yet */
	size_t in_flight;          /* both: claimed and not recorded */
	size_t slow_in_flight;     /* of these, of users with slow rows */
	bool claimed;              /* once */
	uint64_t next_claim_ms;
	uint64_t rested_ms; /* no claim before, unless somebody has woken us */
	uint64_t next_record_ms;
	uint64_t next_announce_ms;
	char *foreign_keys; /* that only other hosts have; NULL: none */
};

/* ---- ownership --------------------------------------------------------------------------------
 */

static void batch_release(struct batch *b)
{
	if (--b->unfinished > 0)
		return;
	queue_rows_clear(&b->rows);
	queue_variables_clear(&b->variables);
	free(b);
}

static void group_release(struct group *g)
{
	if (g == NULL || --g->unfinished > 0)
		return;
	observation_free(g->observation);
	kube_target_free(g->share);
	free(g);
}

static void item_free(struct item *item, struct item_list *list)
{
	TAILQ_REMOVE(list, item, link);
	item->pass->in_flight--;
	item->pass->slow_in_flight -= work_row(item->work)->slow;
	work_free(item->work);
	group_release(item->group);
	batch_release(item->batch);
	free(item);
}

/* ---- claiming and observing -------------------------------------------------------------------
 */

static void group_observed(void *user)
{
	struct group *g = user;
	struct item *item = g->items;

	g->items = NULL;
	while (item != NULL) {
		struct item *next = item->next_in_group;
		work_observed(item->work, g->share, g->observation);
		item = next;
	}
}

static struct group *find_group(struct group **groups, size_t *count, struct pass *p,
				struct kube_target *target)
{
	for (size_t i = *count; i > 0; i--) {
		if (groups[i - 1]->target == target)
			return groups[i - 1];
	}
	struct group *g = mem_calloc(1, sizeof(*g));
	g->pass = p;
	g->target = target;
	groups[(*count)++] = g;
	return g;
}

/* The owner is told only that the address is not allowed. */
static void log_refused(const char *url, const char *address, const char *what)
{
	CLEANUP(cleanup_free) char *path = mem_strndup(url, strcspn(url, "?"));

	log_line(LOG_LEVEL_WARNING, "address not allowed", LOG_STR("url", path),
		 LOG_STR("address", address), LOG_STR("what", what));
}

static int ensure_client(struct pass *p, struct err *e)
{
	const struct conf *conf = p->r->conf;
	struct kube_client_options options = {
		.connect_timeout_ms = conf_number(conf, CONF_KUBE_CONNECT_TIMEOUT),
		.request_timeout_ms = conf_number(conf, CONF_KUBE_REQUEST_TIMEOUT),
		.body_max = conf_number(conf, CONF_KUBE_BODY_MAX),
		.allow_addresses = conf_string(conf, CONF_KUBE_ALLOW_ADDRESSES),
		.ca_file = conf_string(conf, CONF_KUBE_CA_FILE),
		.refused = log_refused,
	};

	if (p->client == NULL && kube_client_new(&options, &p->client, e) < 0)
		return -1;
	p->context.client = p->client;
	return 0;
}

/* Gives each row of a batch to a group by its target; those that cannot or need not be observed end
 * here. */
static void group_rows(struct pass *p, struct batch *b, uint64_t lease_ends_ms,
		       struct group **groups, size_t *ret_count)
{
	*ret_count = 0;
	for (size_t i = 0; i < b->rows.count; i++) {
		const struct queue_row *row = &b->rows.items[i];
		struct item *item = mem_calloc(1, sizeof(*item));
		struct kube_target *target = NULL;
		struct err e;

		item->pass = p;
		item->batch = b;
		item->claimed_ms = clock_ms();
		p->slow_in_flight += row->slow;
		item->lease_ends_ms = lease_ends_ms;
		item->work = work_new(&p->context, row, &b->variables, lease_ends_ms, item);
		TAILQ_INSERT_TAIL(&p->in_work, item, link);
		if (work_finish_blocked(item->work))
			continue;
		if (access_target(p->access, row, &target, &e) < 0) {
			work_fail(item->work, &e);
			continue;
		}
		item->group = find_group(groups, ret_count, p, target);
		item->group->kinds |= work_kinds(item->work);
		item->group->unfinished++;
		item->next_in_group = item->group->items;
		item->group->items = item;
	}
}

static int load_variables(struct pass *p, struct batch *b, struct err *e)
{
	CLEANUP(cleanup_free) const char **ids = mem_calloc(b->rows.count, sizeof(*ids));
	size_t count = 0;

	for (size_t i = 0; i < b->rows.count; i++) {
		if (b->rows.items[i].kind == RESOURCE_SANDBOX &&
		    b->rows.items[i].desired != DESIRED_GONE)
			ids[count++] = b->rows.items[i].project_id;
	}
	return count > 0 ? queue_variables(p->r->db, ids, count, &b->variables, e) : 0;
}

static void observe_group(struct pass *p, struct group *g)
{
	CLEANUP(cleanup_free)
	struct observe_subject *subjects = mem_calloc(g->unfinished, sizeof(*subjects));
	size_t count = 0;

	for (const struct item *item = g->items; item != NULL; item = item->next_in_group)
		subjects[count++] = assess_subject(work_row(item->work));
	g->share = kube_target_share(g->target, &p->memory, count);
	g->observation = observation_start(p->client, g->share, g->kinds, subjects, count,
					   group_observed, g);
}

static void start_batch(struct pass *p, struct batch *b, uint64_t lease_ends_ms)
{
	CLEANUP(cleanup_free)
	struct group **groups = mem_calloc(b->rows.count, sizeof(struct group *));
	size_t count;

	group_rows(p, b, lease_ends_ms, groups, &count);
	for (size_t i = 0; i < count; i++)
		observe_group(p, groups[i]);
}

void pass_worker(pid_t pid, char ret_worker[PASS_WORKER_MAX])
{
	(void)snprintf(ret_worker, PASS_WORKER_MAX, "%s/%ld", announce_host(), (long)pid);
}

/* Of the rows that the reconciler works on at once, this shard's part. */
static size_t places(const struct pass *p)
{
	unsigned count = p->r->shard.count;

	return (conf_number(p->r->conf, CONF_ROWS_IN_FLIGHT) + count - 1) / count;
}

/* Its time is up: it ends when what is in flight has. */
static bool is_closing(const struct pass *p)
{
	return clock_ms() >= p->r->claim_until_ms;
}

/* With very many rows due, a claim costs the database a good part of a second, however few there is
 * room for: so the next one waits for more room. */
static void rest(struct pass *p, uint64_t claim_took_ms)
{
	uint64_t rest_ms = CLAIM_REST * claim_took_ms;

	p->rested_ms = clock_ms() + (rest_ms < LINGER_MS ? rest_ms : LINGER_MS);
}

/* Whoever has slow rows takes places for long, however often they ask: what is left of those that
 * all of them share. */
static unsigned slow_limit(const struct pass *p)
{
	size_t share = (places(p) + SLOW_SHARE - 1) / SLOW_SHARE;

	return share > p->slow_in_flight ? (unsigned)(share - p->slow_in_flight) : 0;
}

/* Claims as many rows as there is room for. `*ret_count` 0: none is due. */
static int claim(struct pass *p, size_t *ret_count, struct err *e)
{
	const struct conf *conf = p->r->conf;
	uint64_t lease_ms = conf_number(conf, CONF_LEASE_TIME);
	uint64_t claimed_ms = clock_ms();
	char worker[PASS_WORKER_MAX];
	struct queue_claim query = {
		.worker = worker,
		.shard = p->r->shard,
		.limit = (unsigned)(places(p) - p->in_flight),
		.per_user = (unsigned)conf_number(conf, CONF_ROWS_PER_USER),
		.slow_limit = slow_limit(p),
		.lease_ms = lease_ms,
		.only_well = is_closing(p),
		.foreign_keys = p->foreign_keys,
	};
	struct batch *b = mem_calloc(1, sizeof(*b));

	pass_worker(getpid(), worker);
	if (queue_claim(p->r->db, &query, &b->rows, e) < 0) {
		free(b);
		return -1;
	}
	p->claimed = true;
	rest(p, clock_ms() - claimed_ms);
	*ret_count = b->unfinished = b->rows.count;
	if (b->rows.count == 0) {
		b->unfinished = 1;
		batch_release(b);
		return 0;
	}
	if (load_variables(p, b, e) < 0 || ensure_client(p, e) < 0) {
		b->unfinished = 1; /* the leases run out */
		batch_release(b);
		return -1;
	}
	p->summary->claimed += b->rows.count;
	p->in_flight += b->rows.count;
	start_batch(p, b, claimed_ms + lease_ms);
	return 0;
}

/* ---- recording --------------------------------------------------------------------------------
 */

/* A work is over: its item is kept until the result is recorded. */
static void work_finished(void *user)
{
	struct item *item = user;

	item->took_ms = clock_ms() - item->claimed_ms;
	TAILQ_REMOVE(&item->pass->in_work, item, link);
	TAILQ_INSERT_TAIL(&item->pass->finished, item, link);
}

/* The owner is told that something failed on our side, and no more. */
static void log_internal(const struct work *work)
{
	const struct queue_result *result = work_result(work);

	if (result->has_cause && strcmp(result->cause_kind, err_kind_name(ERR_INTERNAL)) == 0)
		log_line(LOG_LEVEL_ERROR, "a row failed", LOG_STR("row", result->id),
			 LOG_STR("code", result->cause_code),
			 LOG_STR("error", result->cause_message));
}

static void count_result(struct pass *p, const struct work *work)
{
	const struct queue_result *result = work_result(work);

	p->summary->recorded++;
	p->summary->failed += result->has_cause;
	p->summary->changed += result->status != work_row(work)->status;
	if (result->has_cause)
		metric_add(METRIC_CAUSES, 1, METRIC_LABELS(result->cause_kind));
	if (result->status != work_row(work)->status)
		metric_add(METRIC_TRANSITIONS, 1,
			   METRIC_LABELS(resource_kind_name(work_row(work)->kind),
					 status_name(work_row(work)->status),
					 status_name(result->status)));
}

/* The pace of a row follows the time that it takes, whatever came of it. */
static struct queue_result timed_result(const struct item *item, const struct queue_result *result)
{
	struct queue_result timed = *result;

	timed.took_ms = item->took_ms;
	if (item->took_ms >= SLOW_MS && timed.due_in_ms < SLOW_PACE * item->took_ms)
		timed.due_in_ms = SLOW_PACE * item->took_ms;
	return timed;
}

/* Records the first RECORD_AT_ONCE finished items, or gives their leases back, and frees them. */
static int record_some(struct pass *p, struct err *e)
{
	struct queue_result results[RECORD_AT_ONCE];
	const char *released_ids[RECORD_AT_ONCE];
	int64_t released_epochs[RECORD_AT_ONCE];
	size_t count = 0, released = 0, stale = 0;
	struct item *item;

	TAILQ_FOREACH(item, &p->finished, link)
	{
		/* The analyzer does not see that item_free() moves the head of the list on.
		 * NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
		const struct queue_result *result = work_result(item->work);
		if (count + released == RECORD_AT_ONCE)
			break;
		if (result != NULL) {
			results[count++] = timed_result(item, result);
		} else {
			released_ids[released] = work_row(item->work)->id;
			released_epochs[released++] = work_row(item->work)->lease_epoch;
		}
	}
	if ((count > 0 && queue_record(p->r->db, results, count, &stale, e) < 0) ||
	    (released > 0 &&
	     queue_release(p->r->db, released_ids, released_epochs, released, e) < 0))
		return -1;
	p->summary->stale += stale;
	p->summary->released += released;
	for (size_t i = 0; i < count + released; i++) {
		item = TAILQ_FIRST(&p->finished);
		/* The analyzer does not see that item_free() moves the head of the list on.
		 * NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
		if (work_result(item->work) != NULL) {
			count_result(p, item->work);
			log_internal(item->work);
		}
		item_free(item, &p->finished);
	}
	return 0;
}

/* Results whose lease has ended would change nothing any more. */
static void drop_late(struct pass *p)
{
	struct item *next;

	for (struct item *item = TAILQ_FIRST(&p->finished); item != NULL; item = next) {
		next = TAILQ_NEXT(item, link);
		if (clock_ms() < item->lease_ends_ms)
			continue;
		p->summary->stale++;
		item_free(item, &p->finished);
	}
}

static bool may_record(const struct pass *p)
{
	return !TAILQ_EMPTY(&p->finished) && clock_ms() >= p->next_record_ms;
}

/* A database that is away for a moment loses nothing: results wait for it until their leases end.
 */
static int record(struct pass *p, struct err *e)
{
	struct err failure;

	while (may_record(p)) {
		if (record_some(p, &failure) < 0) {
			drop_late(p);
			if (failure.kind != ERR_UNAVAILABLE || TAILQ_EMPTY(&p->finished)) {
				*e = failure;
				return -1;
			}
			p->next_record_ms = clock_ms() + RETRY_MS;
			return 0;
		}
		/* There is room again, and what was recorded may be due, or have made others due.
		 */
		p->next_claim_ms = p->rested_ms;
		p->summary->next_due_ms = 0;
	}
	return 0;
}

/* ---- the loop ---------------------------------------------------------------------------------
 */

/* While a pass that closes waits for rows whose API servers do not answer, the others go on. */
static bool may_claim(const struct pass *p)
{
	if (wake_stopping(p->r->wake) || p->in_flight >= places(p))
		return false;
	if (!is_closing(p))
		return true;
	return (p->in_flight > 0 || !p->claimed) && clock_ms() < p->r->close_until_ms;
}

static int claim_checks(struct pass *p, struct err *e)
{
	if (is_closing(p))
		return 0;
	if (checks_claim(p->checks, p->foreign_keys, e) < 0 ||
	    (checks_wait(p->checks) && ensure_client(p, e) < 0))
		return -1;
	checks_start(p->checks, p->client);
	return 0;
}

/* Claims if it is time to, and finds out when it will be again. */
static int claim_if_due(struct pass *p, struct err *e)
{
	size_t count;

	if (!may_claim(p) || clock_ms() < p->next_claim_ms)
		return 0;
	if (claim_checks(p, e) < 0 || claim(p, &count, e) < 0) {
		p->next_claim_ms = clock_ms() + RETRY_MS;
		return e->kind == ERR_UNAVAILABLE && p->in_flight > 0 ? 0 : -1;
	}
	if (count > 0) {
		p->next_claim_ms = p->rested_ms;
		p->summary->next_due_ms = 0; /* there may be more */
		return 0;
	}
	if (queue_next_due(p->r->db, &p->r->shard, &p->summary->next_due_ms, e) < 0)
		return -1;
	/* A row that is due and was not claimed: its owner has his share of rows in flight. */
	uint64_t wait_ms = p->summary->next_due_ms;
	wait_ms = wait_ms < 50 ? 50 : wait_ms > LINGER_MS ? LINGER_MS : wait_ms;
	p->next_claim_ms = clock_ms() + wait_ms;
	return 0;
}

static bool is_over(const struct pass *p)
{
	if (p->in_flight > 0 || checks_under_way(p->checks) > 0)
		return false;
	return !may_claim(p) ||
	       (clock_ms() < p->next_claim_ms && p->summary->next_due_ms > LINGER_MS);
}

static int wait_limit_ms(const struct pass *p)
{
	uint64_t now = clock_ms();
	uint64_t until = now + LINGER_MS;

	if (!TAILQ_EMPTY(&p->finished) && p->next_record_ms < until)
		until = p->next_record_ms;
	if (may_claim(p) && p->next_claim_ms < until)
		until = p->next_claim_ms;
	return until > now ? (int)(until - now) : 0;
}

static void wait_for_something(struct pass *p)
{
	struct pollfd wake = { .fd = wake_fd(p->r->wake), .events = POLLIN };

	if (p->client != NULL)
		kube_client_poll(p->client, wait_limit_ms(p), wake.fd);
	else
		(void)poll(&wake, 1, wait_limit_ms(p));
	if (wake_drain(p->r->wake))
		p->next_claim_ms = 0;
}

/* A pass works without it, too: what keeps it from being said will keep the next claim from being
 * made, or is a schema that is about to be brought to this version. */
static void announce_if_due(struct pass *p)
{
	char *foreign_keys = NULL;
	struct err e;

	if (clock_ms() < p->next_announce_ms)
		return;
	p->next_announce_ms = clock_ms() + ANNOUNCE_MS;
	if (announce_pass(p->r, &foreign_keys, &e) < 0) {
		log_err(LOG_LEVEL_WARNING, "this host's pass cannot be announced", &e);
		return;
	}
	free(p->foreign_keys);
	p->foreign_keys = foreign_keys;
}

static int loop(struct pass *p, struct err *e)
{
	for (;;) {
		heartbeat_beat();
		announce_if_due(p);
		checks_record(p->checks);
		if (record(p, e) < 0 || claim_if_due(p, e) < 0)
			return -1;
		if (is_over(p))
			return 0;
		/* Works may have ended without a request: those are recorded before waiting. */
		if (!may_record(p) && !checks_are_over(p->checks))
			wait_for_something(p);
	}
}

static void free_items(struct item_list *list)
{
	while (!TAILQ_EMPTY(list)) {
		/* As in record_some(). NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
		item_free(TAILQ_FIRST(list), list);
	}
}

/* Works that still wait for answers, after a failure, go with the client: it calls nobody back. */
static void pass_clear(struct pass *p)
{
	kube_client_free(p->client);
	free_items(&p->finished);
	free_items(&p->in_work);
	checks_free(p->checks);
	access_free(p->access);
	free(p->foreign_keys);
}

int pass_run(struct reconciler *r, struct pass_summary *ret_summary, struct err *e)
{
	struct pass p = {
		.r = r,
		.summary = ret_summary,
		.access = access_new(r->cluster_private),
	};
	const struct checks_context checks = { r->conf,  r->db,    r->shard, &r->wanted.settings,
					       p.access, &p.memory };

	p.memory = kube_memory(conf_number(r->conf, CONF_KUBE_MEMORY) / r->shard.count,
			       places(&p) + checks_places(r->conf, &r->shard));
	*ret_summary = (struct pass_summary) { .next_due_ms = UINT64_MAX };
	p.checks = checks_new(&checks);
	TAILQ_INIT(&p.in_work);
	TAILQ_INIT(&p.finished);
	p.context = (struct work_context) {
		.wanted = &r->wanted,
		.request_timeout_ms = conf_number(r->conf, CONF_KUBE_REQUEST_TIMEOUT),
		.resync_ms = conf_number(r->conf, CONF_RESYNC),
		.unschedulable_s = (unsigned)(conf_number(r->conf, CONF_UNSCHEDULABLE_TIME) / 1000),
		.finished = work_finished,
	};
	int result = loop(&p, e);
	if (p.client != NULL)
		ret_summary->requests = kube_client_requests(p.client);
	pass_clear(&p);
	return result;
}
