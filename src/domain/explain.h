#ifndef FSA_DOMAIN_EXPLAIN_H
#define FSA_DOMAIN_EXPLAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "domain/decide.h"

/*
 * The state table read backwards: which observations a resource's status can result from. Only the
 * resource's row is used, so several observations may fit; the next action for each follows from
 * decide(), as it will in the reconciler.
 */
struct reported {
	enum desired desired;
	enum status status;
	uint64_t status_age_ms;
	bool is_observed;  /* a pass has observed it since the last change by a user */
	unsigned attempts; /* consecutive failed attempts */
	bool has_cause;
	enum err_kind cause_kind; /* when has_cause */
	unsigned unschedulable_s; /* of fsa.conf */
};

/* Whether the row can be the last pass's result after it observed `observed`. */
bool explain_fits(const struct reported *reported, enum observed observed);

/* What the next pass decides if it observes `observed`. */
struct decision explain_next(const struct reported *reported, enum observed observed);

/* Milliseconds until the status, if it lasts, becomes ERROR; UINT64_MAX: never. */
uint64_t explain_deadline_ms(const struct reported *reported, enum observed observed);

#endif
