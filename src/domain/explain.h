#ifndef FSA_DOMAIN_EXPLAIN_H
#define FSA_DOMAIN_EXPLAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "domain/decide.h"

/*
 * The state table read backwards: what the reconciler must have observed for a resource to have
 * the status that it has. Only what a resource's row remembers is used, so several observations may
 * fit; what is done next follows from each by decide(), as it will in the reconciler.
 */
struct reported {
	enum desired desired;
	enum status status;
	uint64_t status_age_ms;
	bool is_observed;  /* a pass has observed it since somebody asked for something */
	unsigned attempts; /* failed in a row */
	bool has_cause;
	enum err_kind cause_kind; /* when has_cause */
	unsigned unschedulable_s; /* of fsa.conf */
};

/* Whether the row can be what the last pass left after it observed `observed`. */
bool explain_fits(const struct reported *reported, enum observed observed);

/* What the next pass decides if it observes `observed`. */
struct decision explain_next(const struct reported *reported, enum observed observed);

/* Milliseconds until the status, if it lasts, becomes ERROR; UINT64_MAX: never. */
uint64_t explain_deadline_ms(const struct reported *reported, enum observed observed);

#endif
