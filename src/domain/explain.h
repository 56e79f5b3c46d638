#ifndef FSA_DOMAIN_EXPLAIN_H
#define FSA_DOMAIN_EXPLAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "domain/decide.h"

/*
 * The state table read backwards: what the reconciler must have seen for a resource to stand as it
 * does. Only what a resource's row remembers is used, so several answers may fit; what is done next
 * follows from each by decide(), as it will in the reconciler.
 */
struct told {
	enum desired desired;
	enum status status;
	uint64_t status_age_ms;
	bool looked;       /* a pass has looked since somebody asked for something */
	unsigned attempts; /* failed in a row */
	bool has_cause;
	enum err_kind cause_kind; /* when has_cause */
	unsigned unschedulable_s; /* of fsa.conf */
};

/* Whether the row can be what the last pass left after it saw `seen`. */
bool explain_fits(const struct told *told, enum seen seen);

/* What the next pass decides if it sees `seen`. */
struct decision explain_next(const struct told *told, enum seen seen);

/* Milliseconds until the status, if it lasts, becomes ERROR; UINT64_MAX: never. */
uint64_t explain_deadline_ms(const struct told *told, enum seen seen);

#endif
