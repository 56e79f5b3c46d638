#ifndef FSA_DOMAIN_CAUSE_H
#define FSA_DOMAIN_CAUSE_H

#include "base/err.h"

/*
 * How a cause is presented to people: one table, in cause.c, for the API, the page, the live stream
 * and `fsactl project explain`; docs/causes.md is generated from it. The cluster's own message is
 * shown as detail beneath.
 */
struct cause_text {
	enum err_kind kind;
	const char *code;     /* NULL: for every code of the kind that has no row of its own */
	const char *headline; /* what is wrong, in the owner's words */
	const char *action;   /* what the owner can do */
	const char *operator; /* what the operator of the site can do; NULL: nothing */
};

/* The row of a kind and a code (which may be NULL). NULL for kinds that are no causes: those below
 * ERR_INTERNAL. */
const struct cause_text *cause_text(enum err_kind kind, const char *code);
/* The same for a kind's name, as it is stored. NULL also for a name of another version. */
const struct cause_text *cause_text_of(const char *kind, const char *code);

/* For the operator of the site: their action, or else the owner's. NULL as above. */
const char *cause_advice(enum err_kind kind, const char *code);

/* The part of a stored message that the owner sees: for our own failures, only that they
 * happened. */
const char *cause_message(const char *kind, const char *message);
/* The cluster's own part of a stored message: without the request that it answers. */
const char *cause_detail(const char *message);

/* All rows, for the test and the document. */
const struct cause_text *cause_texts(unsigned *ret_count);

#endif
