#ifndef FSA_RECONCILE_FINDINGS_H
#define FSA_RECONCILE_FINDINGS_H

#include <stdbool.h>

#include <jansson.h>

#include "base/err.h"
#include "domain/finding.h"

/*
 * Turns the responses to a check of a kubeconfig into findings. Pure. Each finding follows only
 * from responses: without one, it is unknown, not wrong.
 */
enum probe_kind {
	PROBE_RULES,     /* what the account may do: SelfSubjectRulesReview */
	PROBE_NAMESPACE, /* get it */
	/* Dry-run applies of the objects of a sandbox and a database. */
	PROBE_STATEFUL_SET,
	PROBE_POD,
	PROBE_VOLUME,
	PROBE_CLUSTER,    /* of KubeBlocks up to 0.9, */
	PROBE_CLUSTER_V1, /* and from 1.0 on: */
	PROBE_TYPES,      /* which of them is there */
	PROBE_TYPES_V1,
	PROBE_COUNT
};

struct probe_answer {
	bool ok;
	long http_status; /* 0: none came */
	struct err err;   /* when not ok */
	json_t *body;     /* NULL: none */
};

/* An array of {name, status, kind, code, detail}, one for each finding, for
 * kubeconfig_check_record(). The last three are null where nothing is wrong. */
json_t *findings_of(const struct probe_answer answers[PROBE_COUNT]);
/* The same when nothing could be asked. */
json_t *findings_of_failure(const struct err *e);

#endif
