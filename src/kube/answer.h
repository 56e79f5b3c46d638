#ifndef FSA_KUBE_ANSWER_H
#define FSA_KUBE_ANSWER_H

#include <stdbool.h>

#include <jansson.h>

#include "base/err.h"
#include "http/client.h"
#include "kube/filter.h"

/*
 * Turns an HTTP response into JSON or an error. JSON is built only of what is read, and after its
 * depth and its cost were checked (kube/filter.h): a pass has the responses of many people's
 * servers at once. A typical StatefulSet costs 400, so a list may have some 2,500.
 */
enum { KUBE_JSON_COST = 1000000 };

/* What was asked for, and what the answer must be. */
struct kube_expected {
	const char *verb, *plural;
	const char *name;   /* of the object, NULL for a list */
	const char *kind;   /* NULL: any */
	bool foreign;       /* any JSON: it is not of the API */
	bool is_text;       /* no JSON: a string is made of its end */
	const char *secret; /* see kube/status.h; or NULL */
	struct kube_members members;
	size_t *cost_left; /* for all pages of a list, reduced here; NULL: KUBE_JSON_COST */
};

/* `ret_body` is set whenever JSON came, also with an error: the caller json_decref()s. */
int kube_answer_read(const struct http_answer *answer, const struct kube_expected *expected,
		     json_t **ret_body, struct err *e);
/* Puts "apply statefulsets/x: " before a message. Returns -1. */
int kube_answer_wrap(const struct kube_expected *expected, struct err *e);

#endif
