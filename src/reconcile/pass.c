#include "reconcile/pass.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/heartbeat.h"
#include "base/log.h"
#include "base/mem.h"
#include "reconcile/announce.h"
#include "reconcile/pass_internal.h"
#include "store/queue.h"

enum {
	ANNOUNCE_MS = 5000, /* between announcements that a pass is running here */
	WAKE_AT_ONCE = 64,  /* rows per statement */
};

/* While a pass that is closing waits for rows with unresponsive API servers, others are still
 * claimed. */
static bool may_claim(const struct pass *p)
{
	if (wake_stopping(p->r->wake) || p->in_flight >= pass_places(p))
		return false;
	if (!pass_is_closing(p))
		return true;
	return (p->in_flight > 0 || !p->claimed) && clock_ms() < p->r->close_until_ms;
}

static int claim_checks(struct pass *p, struct err *e)
{
	if (pass_is_closing(p))
		return 0;
	if (checks_claim(p->checks, p->foreign_keys, e) < 0 ||
	    (checks_wait(p->checks) && pass_ensure_client(p, e) < 0))
		return -1;
	checks_start(p->checks, p->client);
	return 0;
}

/* Claims rows if it is time, and determines when the next claim is. */
static int claim_if_due(struct pass *p, struct err *e)
{
	size_t count;

	if (!may_claim(p) || clock_ms() < p->next_claim_ms)
		return 0;
	if (claim_checks(p, e) < 0 || pass_claim(p, &count, e) < 0) {
		p->next_claim_ms = clock_ms() + PASS_RETRY_MS;
		return e->kind == ERR_UNAVAILABLE && p->in_flight > 0 ? 0 : -1;
	}
	if (count > 0) {
		p->next_claim_ms = p->rested_ms;
		p->summary->next_due_ms = 0; /* there may be more rows */
		return 0;
	}
	if (queue_next_due(p->r->db, &p->r->shard, &p->summary->next_due_ms, e) < 0)
		return -1;
	/* A due row was not claimed because its owner has the maximum in flight. */
	uint64_t wait_ms = p->summary->next_due_ms;
	wait_ms = wait_ms < 50 ? 50 : wait_ms > PASS_LINGER_MS ? PASS_LINGER_MS : wait_ms;
	p->next_claim_ms = clock_ms() + wait_ms;
	return 0;
}

/* Makes rows due whose objects have changed. If that fails, their timers will. */
static void wake_changed(struct pass *p)
{
	const char *ids[WAKE_AT_ONCE];
	size_t count = follow_take(p->follow, ids, WAKE_AT_ONCE);
	struct err e;

	if (count == 0)
		return;
	if (queue_wake(p->r->db, ids, count, &e) < 0)
		log_err(LOG_LEVEL_WARNING,
			"changed rows cannot be made due, so they wait for their timers", &e);
	p->next_claim_ms = p->rested_ms;
	p->summary->next_due_ms = 0;
}

static bool is_over(const struct pass *p)
{
	if (p->in_flight > 0 || checks_under_way(p->checks) > 0)
		return false;
	if (follow_has_rows(p->follow) && may_claim(p))
		return false;
	return !may_claim(p) ||
	       (clock_ms() < p->next_claim_ms && p->summary->next_due_ms > PASS_LINGER_MS);
}

static int wait_limit_ms(const struct pass *p)
{
	uint64_t now = clock_ms();
	uint64_t until = now + PASS_LINGER_MS;

	if (!TAILQ_EMPTY(&p->finished) && p->next_record_ms < until)
		until = p->next_record_ms;
	if (may_claim(p) && p->next_claim_ms < until)
		until = p->next_claim_ms;
	uint64_t follow_ms = follow_wait_ms(p->follow);
	if (until > now && follow_ms < until - now)
		until = now + follow_ms;
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

/* A pass works without the announcement: if it fails, either the next claim will fail for the same
 * reason, or the schema is about to be migrated to this version. */
static void announce_if_due(struct pass *p)
{
	char *foreign_keys = NULL;
	struct err e;

	if (clock_ms() < p->next_announce_ms)
		return;
	p->next_announce_ms = clock_ms() + ANNOUNCE_MS;
	if (announce_pass(p->r, &foreign_keys, &e) < 0) {
		log_err(LOG_LEVEL_WARNING, "cannot announce this host's pass to other hosts", &e);
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
		wake_changed(p);
		if (pass_record(p, e) < 0 || claim_if_due(p, e) < 0)
			return -1;
		if (is_over(p))
			return 0;
		/* Rows may have ended without a request: those are recorded before waiting. */
		if (!pass_may_record(p) && !checks_are_over(p->checks))
			wait_for_something(p);
	}
}

static void free_works(struct work_list *list)
{
	while (!TAILQ_EMPTY(list)) {
		/* As in record_some(). NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
		pass_work_free(TAILQ_FIRST(list), list);
	}
}

/* After a failure, works that still wait for responses are freed with the client, which calls
 * nobody back. */
static void pass_clear(struct pass *p)
{
	follow_free(p->follow);
	kube_client_free(p->client);
	free_works(&p->finished);
	free_works(&p->in_work);
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
		.follow = follow_new(),
	};
	const struct checks_context checks = { r->conf,  r->db,    r->shard, &r->desired.settings,
					       p.access, &p.memory };

	p.memory = kube_memory(conf_number(r->conf, CONF_KUBE_MEMORY) / r->shard.count,
			       pass_places(&p) + checks_places(r->conf, &r->shard));
	*ret_summary = (struct pass_summary) { .next_due_ms = UINT64_MAX };
	p.checks = checks_new(&checks);
	TAILQ_INIT(&p.in_work);
	TAILQ_INIT(&p.finished);
	p.context = (struct work_context) {
		.desired = &r->desired,
		.request_timeout_ms = conf_number(r->conf, CONF_KUBE_REQUEST_TIMEOUT),
		.resync_ms = conf_number(r->conf, CONF_RESYNC),
		.unschedulable_s = (unsigned)(conf_number(r->conf, CONF_UNSCHEDULABLE_TIME) / 1000),
		.finished = pass_work_finished,
		.user = &p,
	};
	int result = loop(&p, e);
	if (p.client != NULL)
		ret_summary->requests = kube_client_requests(p.client);
	pass_clear(&p);
	return result;
}
