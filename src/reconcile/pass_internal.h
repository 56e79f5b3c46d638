#ifndef FSA_RECONCILE_PASS_INTERNAL_H
#define FSA_RECONCILE_PASS_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "kube/client.h"
#include "reconcile/access.h"
#include "reconcile/checks.h"
#include "reconcile/follow.h"
#include "reconcile/form.h"
#include "reconcile/pass.h"
#include "reconcile/work_internal.h"

/* Shared by the files of a pass: pass.c, its loop; claim.c; record.c; batch.c. */

enum {
	PASS_LINGER_MS = 2000, /* a pass waits so long for a row that is about to be due */
	PASS_RETRY_MS = 250,   /* between attempts to reach the database */
};

/* The rows of one claim, and what their strings are borrowed from. */
struct batch {
	struct queue_rows rows;
	struct queue_variables variables;
	size_t unfinished;
};

struct pass;

/* The rows of a batch with the same target: one observation serves them all. */
struct group {
	struct pass *pass;
	struct kube_target *target;
	struct kube_target *share; /* the same, with room for answers about so many rows */
	struct form_lookup form_lookup;
	unsigned lists; /* as OBSERVE() */
	unsigned full;  /* of these, those of which metadata is not enough */
	struct observation *observation;
	struct work *works; /* linked by next_in_group */
	size_t unfinished;
};

TAILQ_HEAD(work_list, work);

struct pass {
	struct reconciler *r;
	struct pass_summary *summary;
	struct kube_client *client; /* made when first needed: an idle pass needs none */
	struct kube_memory memory;
	struct access *access;
	struct work_context context;
	struct checks *checks; /* of kubeconfigs */
	struct follow *follow;
	struct work_list in_work;
	struct work_list finished; /* not recorded yet */
	size_t in_flight;          /* both: claimed and not recorded */
	size_t slow_in_flight;     /* of these, of users with slow rows */
	size_t debtors_in_flight;  /* and of users in debt */
	bool claimed;              /* once */
	uint64_t next_claim_ms;
	uint64_t rested_ms; /* no claim before, unless somebody has woken us */
	uint64_t next_record_ms;
	uint64_t next_announce_ms;
	char *foreign_keys; /* that only other hosts have; NULL: none */
};

/* One of its rows is finished. */
void pass_batch_release(struct batch *b);
/* `list` is the one that it is in. */
void pass_work_free(struct work *w, struct work_list *list);

/* This shard's share of the rows that the reconciler works on at once. */
size_t pass_places(const struct pass *p);
/* Its time is up: the pass ends once nothing is in flight. */
bool pass_is_closing(const struct pass *p);
int pass_ensure_client(struct pass *p, struct err *e);
/* Claims as many rows as there are places for. `*ret_count` 0: none is due. */
int pass_claim(struct pass *p, size_t *ret_count, struct err *e);

/* For struct work_context: it is kept until its result is recorded. */
void pass_work_finished(struct work *w);
bool pass_may_record(const struct pass *p);
/* While the database is away nothing is lost: results wait for it until their leases end. */
int pass_record(struct pass *p, struct err *e);

#endif
