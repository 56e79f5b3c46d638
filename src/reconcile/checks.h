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
 * The checks of kubeconfigs that a pass makes in addition to its rows. Each is one wave of requests
 * through the pass's own client, with the same limits as a row's requests. Checks have their own
 * places, one check per user; users whose last check was slow share some of the places.
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

/* How many checks of a shard may be in progress, for the memory budget. */
size_t checks_places(const struct conf *conf, const struct queue_shard *shard);

struct checks *checks_new(const struct checks_context *context);
/* Call this after the client was freed, when it no longer calls back. */
void checks_free(struct checks *checks);

/* Claims as many as there are places for; `foreign_keys` as in store/queue.h. */
int checks_claim(struct checks *checks, const char *foreign_keys, struct err *e);
/* Whether any was claimed and waits for checks_start(). */
bool checks_wait(const struct checks *checks);
void checks_start(struct checks *checks, struct kube_client *client);

/* Records those that are complete. One that cannot be recorded is repeated when its lease ends. */
void checks_record(struct checks *checks);
bool checks_are_over(const struct checks *checks); /* some, and not recorded yet */
size_t checks_under_way(const struct checks *checks);

#endif
