#ifndef KUBESIM_API_H
#define KUBESIM_API_H

#include "base/buf.h"
#include "sim.h"

/*
 * The API over HTTP, without the HTTP: one request in, one answer out. Paths, verbs, parameters and
 * media types as in the Kubernetes API reference and its page "API concepts". Not there: json-patch
 * and strategic merge patches, YAML bodies, deletion of collections.
 */
enum { API_ANSWER_MAX = 1 << 30, API_BODY_MAX = 3 << 20 };

struct api_request {
	const char *method, *path;                              /* the path is decoded */
	const char *content_type, *accept, *user_agent;         /* "" when not sent */
	const char *(*parameter)(void *user, const char *name); /* NULL: not given */
	void *user;
	const struct user *who; /* NULL: credentials that are refused */
	const char *body;
	size_t body_length;
	bool too_large; /* more than API_BODY_MAX came */
};

struct api_answer {
	int code;
	const char *content_type; /* a literal */
	unsigned retry_after_s;   /* 0: none */
	struct buf body;          /* owned */
	struct watch *watch;      /* owned, or NULL: what follows `body` */
	bool has_fault;           /* the answer is to suffer this one; its strings live on */
	struct fault fault;
};

/* Answers, faults of the rules included as far as they are not about the connection. The caller
 * releases the body and frees the watch. */
void api_serve(struct sim *sim, const struct api_request *request, struct api_answer *ret_answer);

#endif
