#ifndef FSA_KUBE_ANSWER_H
#define FSA_KUBE_ANSWER_H

#include <jansson.h>

#include "base/err.h"
#include "http/client.h"

/*
 * From what came over HTTP to JSON or an error. JSON is only built once a scan has found its depth
 * and its cost sane: a few bytes of "{},{}," cost a hundred times as much in memory, and a pass has
 * the answers of many people's servers at once. What nobody here reads, `unread`, is left out
 * before that: it comes out empty. Of the rest a value costs 1, an array or object 4 more; a
 * StatefulSet as API servers send it costs 400, so a list may have some 2,500.
 */
enum { KUBE_JSON_DEPTH = 100, KUBE_JSON_COST = 1000000 };

/* What was asked for, and what the answer must be. */
struct kube_expected {
	const char *verb, *plural;
	const char *name;   /* of the object, NULL for a list */
	const char *kind;   /* NULL: any */
	const char *secret; /* see kube/status.h; or NULL */
	const char *unread; /* names of members that nobody reads, however deep they are; or NULL */
	size_t *cost_left;  /* of all pages of a list, taken from here; NULL: KUBE_JSON_COST */
};

/* `ret_body` is set whenever JSON came, also with an error: the caller json_decref()s. */
int kube_answer_read(const struct http_answer *answer, const struct kube_expected *expected,
		     json_t **ret_body, struct err *e);
/* Puts "apply statefulsets/x: " before a message. Returns -1. */
int kube_answer_wrap(const struct kube_expected *expected, struct err *e);

#endif
