#ifndef FSA_DOMAIN_DECIDE_H
#define FSA_DOMAIN_DECIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "domain/types.h"

/*
 * The state table: what follows from (desired, observed), as data. One row for each pair, in
 * decide.c; the one in docs/state-table.md is the same.
 */

/* When the row is due again. */
enum requeue {
	REQUEUE_NEVER,   /* never: the row goes */
	REQUEUE_SOON,    /* soon: something is under way */
	REQUEUE_SETTLE,  /* slowly, but sooner while the status is new: it may not last */
	REQUEUE_RESYNC,  /* slowly: nothing is expected to happen */
	REQUEUE_BACKOFF, /* after longer and longer pauses: something is wrong */
	REQUEUE_WATCH,   /* as BACKOFF, with short pauses: somebody is waiting for it to heal */
};

/* One row. Which pair it is for is its place in the table. */
struct transition {
	enum action action;
	enum status status; /* the next one, but for … */
	unsigned keeps;     /* … the statuses (1u << status) that stay as they are */
	enum requeue requeue;
	unsigned deadline_s; /* a status that lasts longer becomes ERROR; 0: never */
	const char *comment; /* why, for logs and the documentation */
};

/* The row for a pair. Total: there is one for each. */
const struct transition *transition_find(enum desired desired, enum observed observed);

struct situation {
	enum desired desired;
	enum observed observed;
	enum status status;     /* until now */
	uint64_t status_age_ms; /* for how long */
	bool refused;           /* the action was tried, and the cluster did not do it */
	unsigned deadline_s;    /* instead of the row's, where it has one; 0: the row's */
};

struct decision {
	const struct transition *transition;
	enum action action;
	enum status status;
	enum requeue requeue;
	bool overdue; /* the deadline has passed: status is ERROR, kind of cause ERR_DEADLINE unless
			 a better cause is known */
};

/*
 * Applies the table and the rules that hold for all rows:
 * - A status that lasts longer than the row's deadline becomes ERROR. The goals (RUNNING,
 *   STOPPED, TERMINATED) have no deadline: a running sandbox whose cluster cannot be asked stays
 *   RUNNING, a starting one does not stay STARTING.
 * - ERROR stays until a goal is reached or the user requests a change (which writes another
 *   status): it does not flicker back to STARTING. The action is still taken, and a REQUEUE_WATCH
 *   backs off.
 * What was observed sets the status whether the action succeeds or not: one that was refused is
 * only tried again later and later.
 */
struct decision decide(const struct situation *s);

/* Whether the status is a goal: RUNNING, STOPPED, TERMINATED. */
bool status_is_goal(enum status status);

/* situation.deadline_s for a row that waits for a node, which may take `unschedulable_s`, and if a
 * node is being added at least as long as any start; 0 for all others. */
unsigned deadline_for_node(enum desired desired, enum observed observed, unsigned unschedulable_s);

/* The observation when a read failed with a kind of error: the cluster could not be asked, or its
 * operator has suspended the account. */
enum observed observed_of_failure(enum err_kind kind);

/* Whether the delay grows with the number of failed attempts, which is then counted. */
bool requeue_backs_off(enum requeue requeue);

/* The same if the cause is of this kind: what only a person can mend is observed slowly. */
enum requeue requeue_with_cause(enum requeue requeue, enum err_kind kind);

/*
 * The delay in milliseconds. REQUEUE_SOON: 0.5 s at first, then a tenth of the status's age, at
 * most 10 s. REQUEUE_SETTLE: the status's age, at least 15 s and at most `resync_ms`, ± 10 %.
 * REQUEUE_RESYNC: `resync_ms` ± 10 %. REQUEUE_BACKOFF: 1 s after the first of `attempts` that
 * failed in a row, doubled with each further one, at most 2 minutes, ± 25 %, and never under
 * `retry_after_s`. REQUEUE_WATCH: as REQUEUE_BACKOFF, at most 10 s. REQUEUE_NEVER: 0. `random` is
 * any number: the jitter.
 */
uint64_t requeue_delay_ms(enum requeue requeue, uint64_t status_age_ms, unsigned attempts,
			  uint64_t resync_ms, unsigned retry_after_s, uint32_t random);

/* Whether it is once in each `resync_ms` from now on, so that it does not matter when in it. */
bool requeue_is_steady(enum requeue requeue, uint64_t status_age_ms, uint64_t resync_ms);

#endif
