#ifndef FSA_RECONCILE_CHECKS_H
#define FSA_RECONCILE_CHECKS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/conf.h"
#include "base/err.h"
#include "db/db.h"
#include "kube/client.h"
#include "manifest/manifest.h"
#include "reconcile/access.h"
#include "store/queue.h"

/*
 * The checks of kubeconfigs that a pass makes beside its rows: each is one wave of requests over
 * the pass's own client, so that a kubeconfig gets no further than a row's. They have places of
 * their own, a few for each user's one check; those whose last one was slow share some of them.
 */
struct checks;

struct checks_context {
	const struct conf *conf;
	struct db *db;
	struct queue_shard shard;
	const struct manifest_settings *settings;
	struct access *access;
	struct kube_memory *memory;
};

/* How many of a shard's may be under way, for the budget of memory. */
size_t checks_places(const struct conf *conf, const struct queue_shard *shard);

struct checks *checks_new(const struct checks_context *context);
/* After the client has gone: it calls nobody back. */
void checks_free(struct checks *checks);

/* Claims as many as there are places for; `foreign_keys` as in store/queue.h. */
int checks_claim(struct checks *checks, const char *foreign_keys, struct err *e);
/* Whether any was claimed and waits for checks_start(). */
bool checks_wait(const struct checks *checks);
void checks_start(struct checks *checks, struct kube_client *client);

/* Records those that are over. What cannot be recorded is made again when its lease ends. */
void checks_record(struct checks *checks);
bool checks_are_over(const struct checks *checks); /* some, and not recorded yet */
size_t checks_under_way(const struct checks *checks);

#endif
