#include "reconcile/pass_internal.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "reconcile/bill.h"
#include "store/queue.h"

enum {
	RECORD_AT_ONCE = BILL_MAX, /* results in one transaction */
	SLOW_MS = 2000,            /* a row that occupies its place for this long is slow */
	FOLLOWED_MS = 2000,        /* between observations of a row whose changes are reported */
	SLOW_FACTOR = 2,           /* a slow row is due again after its time multiplied by this */
};

void pass_work_finished(struct work *w)
{
	struct pass *p = w->context->user;

	w->took_ms = clock_ms() - w->claimed_ms - w->aside_ms;
	TAILQ_REMOVE(&p->in_work, w, link);
	TAILQ_INSERT_TAIL(&p->finished, w, link);
}

/* For the operator: the owner is only shown that something failed on our side. */
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

/* Follows the row's anchor while a change of it is expected (reconcile/follow.h). Returns whether
 * its changes are reported. */
static bool follow(struct pass *p, const struct work *w)
{
	const char *version = work_anchor_version(w);

	if (w->group == NULL)
		return false;
	const struct follow_anchor anchor = { w->group->target, kind_anchor(w->kind), w->row.name };
	if (work_expects_change(w) && w->took_ms < SLOW_MS && version[0] != '\0' &&
	    !pass_is_closing(p))
		return follow_begin(p->follow, p->client, &anchor, w->row.id, version);
	follow_end(p->follow, &anchor);
	return false;
}

/* A row that took long is due later, whatever its result. */
static struct queue_result timed_result(struct pass *p, const struct work *w,
					const struct queue_result *result)
{
	struct queue_result timed = *result;

	timed.took_ms = w->took_ms;
	if (follow(p, w) && timed.due_in_ms < FOLLOWED_MS)
		timed.due_in_ms = FOLLOWED_MS;
	if (w->took_ms >= SLOW_MS && timed.due_in_ms < SLOW_FACTOR * w->took_ms)
		timed.due_in_ms = SLOW_FACTOR * w->took_ms;
	return timed;
}

/* Records the first finished works, at most RECORD_AT_ONCE, or gives their leases back, and frees
 * them. */
static int record_some(struct pass *p, size_t at_once, struct err *e)
{
	struct queue_result results[RECORD_AT_ONCE];
	struct queue_lease given[RECORD_AT_ONCE];
	struct bill bill = { .count = 0 };
	size_t count = 0, released = 0, stale = 0;
	struct work *w;

	TAILQ_FOREACH(w, &p->finished, link)
	{
		/* The analyzer does not see that pass_work_free() changes the head of the list.
		 * NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
		const struct queue_result *result = work_result(w);
		if (count + released == at_once)
			break;
		bill_add(&bill, w->row.user_id, w->row.in_debt, work_outcome(w));
		if (result != NULL) {
			results[count++] = timed_result(p, w, result);
		} else {
			given[released++] = work_lease(w);
		}
	}
	if (bill_charge(&bill, p->r->db, e) < 0 ||
	    (count > 0 && queue_record(p->r->db, results, count, &stale, e) < 0) ||
	    (released > 0 && queue_release(p->r->db, given, released, e) < 0))
		return -1;
	p->summary->stale += stale;
	p->summary->released += released;
	for (size_t i = 0; i < count + released; i++) {
		w = TAILQ_FIRST(&p->finished);
		/* The analyzer does not see that pass_work_free() changes the head of the list.
		 * NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
		if (work_result(w) != NULL) {
			count_result(p, w);
			log_internal(w);
		}
		pass_work_free(w, &p->finished);
	}
	return 0;
}

/* Places are free again, and rows may have become due: what is known about the next due time is
 * outdated. */
static void expect_rows(struct pass *p)
{
	p->next_claim_ms = p->rested_ms;
	p->summary->next_due_ms = 0;
}

/* After a failure that was not for want of the database: each by itself, so that a row that cannot
 * be recorded costs the others nothing. Its lease ends by itself. */
static int record_singly(struct pass *p, struct err *e)
{
	for (size_t i = 0; i < RECORD_AT_ONCE && !TAILQ_EMPTY(&p->finished); i++) {
		struct work *w = TAILQ_FIRST(&p->finished);
		if (record_some(p, 1, e) == 0)
			continue;
		if (e->kind == ERR_UNAVAILABLE)
			return -1;
		log_line(LOG_LEVEL_ERROR, "a row's result cannot be recorded",
			 LOG_STR("row", w->row.id), LOG_STR("error", e->message));
		p->summary->failed++;
		pass_work_free(w, &p->finished);
	}
	return 0;
}

/* Results whose lease has ended would have no effect. */
static void drop_late(struct pass *p)
{
	struct work *next;

	for (struct work *w = TAILQ_FIRST(&p->finished); w != NULL; w = next) {
		next = TAILQ_NEXT(w, link);
		if (clock_ms() < w->lease_ends_ms)
			continue;
		p->summary->stale++;
		pass_work_free(w, &p->finished);
		expect_rows(p);
	}
}

bool pass_may_record(const struct pass *p)
{
	return !TAILQ_EMPTY(&p->finished) && clock_ms() >= p->next_record_ms;
}

int pass_record(struct pass *p, struct err *e)
{
	struct err failure;

	while (pass_may_record(p)) {
		if (record_some(p, RECORD_AT_ONCE, &failure) < 0 &&
		    (failure.kind == ERR_UNAVAILABLE || record_singly(p, &failure) < 0)) {
			drop_late(p);
			if (failure.kind != ERR_UNAVAILABLE || TAILQ_EMPTY(&p->finished)) {
				*e = failure;
				return -1;
			}
			p->next_record_ms = clock_ms() + PASS_RETRY_MS;
			return 0;
		}
		expect_rows(p);
	}
	return 0;
}
