#ifndef FSA_DOMAIN_DECIDE_H
#define FSA_DOMAIN_DECIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "domain/types.h"

/*
 * The state table: what follows from (desired, seen), as data. One row for each pair, in decide.c;
 * the one in docs/state-table.md is the same.
 */

/* When to look again. */
enum pace {
	PACE_DONE,    /* never: the row goes */
	PACE_AGAIN,   /* soon: something is under way */
	PACE_SETTLE,  /* slowly, and sooner while the status is young: it may not last */
	PACE_RESYNC,  /* slowly: nothing is expected to happen */
	PACE_BACKOFF, /* later and later: something is wrong */
	PACE_WATCH,   /* the same, and never much later: it may pass, and somebody waits for that */
};

/* One row. Which pair it is for is its place in the table. */
struct transition {
	enum action action;
	enum status status; /* told, but for … */
	unsigned keeps;     /* … the statuses (1u << status) that stay when they were told last */
	enum pace pace;
	unsigned deadline_s; /* a status told for longer becomes ERROR; 0: never */
	const char *comment; /* why, for logs and the documentation */
};

/* The row for a pair. Total: there is one for each. */
const struct transition *transition_find(enum desired desired, enum seen seen);

struct situation {
	enum desired desired;
	enum seen seen;
	enum status told;     /* what the user was told last */
	uint64_t told_age_ms; /* for how long */
	bool refused;         /* the action was tried, and the cluster did not do it */
	unsigned deadline_s;  /* instead of the row's, where it has one; 0: the row's */
};

struct decision {
	const struct transition *transition;
	enum action action;
	enum status status;
	enum pace pace;
	bool overdue; /* the deadline has passed: status is ERROR, kind of cause ERR_DEADLINE unless
			 a better cause is known */
};

/*
 * Applies the table and the rules that hold for all rows:
 * - A status that is told for longer than the row's deadline becomes ERROR. The goals (RUNNING,
 *   STOPPED, TERMINATED) have no deadline: a running sandbox whose cluster cannot be asked stays
 *   RUNNING, a starting one does not stay STARTING.
 * - ERROR stays until a goal is reached or the user asks anew (which writes another status): it
 *   does not flicker back to STARTING. The action is taken all the same, and what was watched backs
 *   off.
 * What was seen sets the status whether the action succeeds or not: one that was refused is only
 * tried again later and later.
 */
struct decision decide(const struct situation *s);

/* Whether nothing more is on its way: RUNNING, STOPPED, TERMINATED. */
bool status_is_goal(enum status status);

/* situation.deadline_s for what waits for a node, which may take `unschedulable_s`, and where one
 * is being added at least as long as any start; 0 for all else. */
unsigned deadline_for_node(enum desired desired, enum seen seen, unsigned unschedulable_s);

/* What is seen when a read failed with a kind of error: the cluster could not be asked, or its
 * operator has suspended the account. */
enum seen seen_of_failure(enum err_kind kind);

/* Whether it grows with the attempts that failed, which are counted for it. */
bool pace_backs_off(enum pace pace);

/* The pace when a cause of this kind is known: what only a person can mend is looked at slowly. */
enum pace pace_with_cause(enum pace pace, enum err_kind kind);

/*
 * How long to wait, in milliseconds. PACE_AGAIN: 0.5 s at first, then a tenth of the status's age,
 * at most 10 s. PACE_SETTLE: the status's age, at least 15 s and at most `resync_ms`, ± 10 %.
 * PACE_RESYNC: `resync_ms` ± 10 %. PACE_BACKOFF: 1 s after the first of `attempts`
 * that failed in a row, doubled with each further one, at most 2 minutes, ± 25 %, and never under
 * `retry_after_s`. PACE_WATCH: as PACE_BACKOFF, at most 10 s. PACE_DONE: 0, there is nothing to
 * wait for. `random` is any number: the jitter.
 */
uint64_t pace_delay_ms(enum pace pace, uint64_t told_age_ms, unsigned attempts, uint64_t resync_ms,
		       unsigned retry_after_s, uint32_t random);

#endif
