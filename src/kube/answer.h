#ifndef FSA_KUBE_ANSWER_H
#define FSA_KUBE_ANSWER_H

#include <stdbool.h>

#include <jansson.h>

#include "base/err.h"
#include "http/client.h"

/*
 * Turns an HTTP response into JSON or an error. JSON is built only after a scan has checked its
 * depth and its cost: a few bytes of "{},{}," take a hundred times as much memory, and a pass has
 * the responses of many people's servers at once. Members in `unread`, which nobody here reads, are
 * left empty and cost nothing. Each other value costs 1, and an array or object 4 more; a typical
 * StatefulSet costs 400, so a list may have some 2,500.
 */
enum { KUBE_JSON_DEPTH = 100, KUBE_JSON_COST = 1000000 };

/* What was asked for, and what the answer must be. */
struct kube_expected {
	const char *verb, *plural;
	const char *name;   /* of the object, NULL for a list */
	const char *kind;   /* NULL: any */
	bool foreign;       /* any JSON: it is not of the API */
	bool is_text;       /* no JSON: a string is made of its end */
	const char *secret; /* see kube/status.h; or NULL */
	const char *unread; /* names of members that nobody reads, however deep they are; or NULL */
	size_t *cost_left;  /* for all pages of a list, reduced here; NULL: KUBE_JSON_COST */
};

/* `ret_body` is set whenever JSON came, also with an error: the caller json_decref()s. */
int kube_answer_read(const struct http_answer *answer, const struct kube_expected *expected,
		     json_t **ret_body, struct err *e);
/* Puts "apply statefulsets/x: " before a message. Returns -1. */
int kube_answer_wrap(const struct kube_expected *expected, struct err *e);

#endif
