#ifndef KUBESIM_FAULTS_H
#define KUBESIM_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "rng.h"

/*
 * Faults of the API server, by rule: which requests, how likely, how often, and what happens to
 * them. The first rule that matches, and whose probability comes up, counts.
 *
 * A rule: {"verb"?: "get list watch create apply patch update delete, joined by |", "resource"?:
 * plural, "user"?: glob, "namespace"?: glob, "name"?: glob, "probability"?: 0…1, "count"?: n,
 * "fault": a name of the table in faults.c, and what that takes}.
 */
enum fault_action {
	FAULT_STATUS,       /* answers with a Status */
	FAULT_LATENCY,      /* answers `ms` later */
	FAULT_HANG,         /* does not answer */
	FAULT_RESET,        /* resets the connection */
	FAULT_TRUNCATE,     /* ends the connection within the body */
	FAULT_OVERSIZE,     /* answers with a body of `bytes` */
	FAULT_NOT_JSON,     /* answers with a body that is none */
	FAULT_BAD_JSON,     /* with JSON that is no Kubernetes object */
	FAULT_CONTENT_TYPE, /* with the right body under a wrong type */
	FAULT_STALE,        /* lists and gets see what was there when the rule was added */
};

struct fault {
	long long id;
	enum fault_action action;
	bool executed; /* the request is carried out, only its answer suffers */
	int code;      /* FAULT_STATUS */
	const char *reason, *message;
	unsigned retry_after_s;
	uint64_t ms;
	uint64_t bytes;
};

struct fault_request {
	const char *verb, *resource, *user, *namespace, *name;
};

struct faults;

struct faults *faults_new(void);
void faults_free(struct faults *f);

/* Returns its id, or 0 with what is wrong in `ret_error`. */
long long faults_add(struct faults *f, const json_t *rule, const char **ret_error);
/* Id 0: all. False: there is none. */
bool faults_remove(struct faults *f, long long id);
/* Array of the rules with their ids and how often each has hit. The caller json_decref()s. */
json_t *faults_list(const struct faults *f);
bool faults_has_stale(const struct faults *f);

/* True, and the fault, if one hits. What `ret_fault` points to lives as long as the rule. */
bool faults_hit(struct faults *f, const struct fault_request *request, struct rng *rng,
		struct fault *ret_fault);

#endif
