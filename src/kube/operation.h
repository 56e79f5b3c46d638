#ifndef FSA_KUBE_OPERATION_H
#define FSA_KUBE_OPERATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include <jansson.h>

#include "base/buf.h"
#include "http/client.h"
#include "kube/client.h"
#include "kube/filter.h"
#include "kube/limiter.h"
#include "kube/resource.h"

/* A request of kube/client.h between submit.c, which makes it, and client.c, which sends it. Of
 * this layer only. */
enum kube_verb {
	KUBE_LIST,
	KUBE_GET,
	KUBE_LOG,
	KUBE_APPLY,
	KUBE_DRY_RUN,
	KUBE_REVIEW,
	KUBE_TYPES,
	KUBE_DELETE
};

#define KUBE_ACCEPT_JSON "Accept: application/json"

/* One submitted request: one HTTP request, or for a list one a page. */
struct kube_operation {
	TAILQ_ENTRY(kube_operation) link;
	struct kube_client *client;
	struct kube_slot slot;
	struct kube_target *target;
	enum kube_verb verb;
	const struct kube_resource_type *type;
	struct kube_members members;
	kube_done_fn *done;
	void *user;
	int64_t deadline_ms; /* once it is sent */
	uint64_t sent_us;
	char *name;
	char *body;
	struct err refused; /* of those that are not sent */
	char *selection;    /* the query: of a log; of a list without `continue` */
	/* lists */
	char *expected_kind;
	char *header;       /* a line of the request's own; or NULL */
	bool foreign;       /* the answer is no object of the API */
	const char *accept; /* a header line */
	json_t *pages;      /* the first page, with the items of all */
	size_t received;
	size_t cost_left;
	struct buf large;          /* an answer's body that waits to be read, */
	struct http_answer answer; /* and the rest of it */
	size_t coming, kept; /* of the target's budget: for the body under way, for what was read */
	unsigned page_count;
	unsigned handshakes; /* connections that were opened for it */
	bool restarted;
};

/* It is the caller's until it is submitted or refused. */
struct kube_operation *kube_operation_new(struct kube_client *client, struct kube_target *target,
					  enum kube_verb verb, enum kube_resource resource,
					  kube_done_fn *done, void *user);
/* For requests that are no operations: kube/watch.h. */
struct http_client *kube_client_http(struct kube_client *client);
/* Sends it, or lets it wait for its slot. */
void kube_operation_submit(struct kube_operation *op);
/* For a request that is not sent because of a caller's mistake, which is reported at the next
 * poll. */
void kube_operation_refuse(struct kube_operation *op, const char *code, const char *why);

#endif
