#ifndef FSA_DOMAIN_DECIDE_H
#define FSA_DOMAIN_DECIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "domain/types.h"

/*
 * The state table: what follows from (desired, seen), as data. One row for each pair, in decide.c;
 * the table in docs/ and the one in design.md are the same.
 */

/* When to look again. */
enum pace {
	PACE_DONE,    /* never: the row goes */
	PACE_AGAIN,   /* soon: something is under way */
	PACE_RESYNC,  /* slowly: nothing is expected to happen */
	PACE_BACKOFF, /* later and later: something is wrong */
};

struct transition {
	enum desired desired;
	enum seen seen;
	enum action action;
	bool keeps_status;  /* `status` is not told: the old one stays */
	enum status status; /* told, unless the rules of decide() say otherwise */
	enum pace pace;
	unsigned deadline_s; /* the told status becomes ERROR after so long; 0: never */
	const char *comment; /* why, for logs and the documentation */
};

/* The row for a pair. Total: there is one for each. */
const struct transition *transition_find(enum desired desired, enum seen seen);

struct situation {
	enum desired desired;
	enum seen seen;
	enum status told;     /* what the user was told last */
	uint64_t told_age_ms; /* for how long */
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
 * Applies the table and the three rules beside it:
 * - a roll-out (SEEN_PROGRESSING, SEEN_DELETING) that began as UPDATING is told as UPDATING until
 *   it is over;
 * - a status that outlives its deadline becomes ERROR;
 * - ERROR stays until a goal is reached (RUNNING, STOPPED, TERMINATED) or the user asks anew (which
 *   writes another status): it does not flicker back to STARTING. The action is taken all the same.
 */
struct decision decide(const struct situation *s);

/*
 * How long to wait, in milliseconds. PACE_AGAIN: 0.5 s at first, a tenth of the status's age, at
 * most 10 s. PACE_RESYNC: `resync_ms` ± 10 %. PACE_BACKOFF: 1 s doubled with each attempt, at most
 * 2 minutes, ± 25 %, and never under `retry_after_s`. `random` is any number: the jitter.
 */
uint64_t pace_delay_ms(enum pace pace, uint64_t told_age_ms, unsigned attempts, uint64_t resync_ms,
		       unsigned retry_after_s, uint32_t random);

#endif
