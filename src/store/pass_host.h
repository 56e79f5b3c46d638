#ifndef FSA_STORE_PASS_HOST_H
#define FSA_STORE_PASS_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"
#include "db/db.h"

/*
 * The hosts that passes run on, with a row for each: when a pass last ran there, and with which
 * keys. All hosts should have the same keys. If they do not, a row with a secret sealed to a key
 * that only some hosts have is left to these, so that its status does not alternate.
 */
struct pass_host {
	const char *host, *version;
	const json_t *keys; /* ids of the private keys: {"cluster": ["…"], "owner": ["…"]} */
};

/* A host that has not been heard of for so long has stopped: passes announce themselves every few
 * seconds. After a week its row goes. */
enum { PASS_HOST_LATE_MS = 60000 };

/* A pass is at work on this host. Writes nothing if that was said less than two seconds ago.
 * `*ret_foreign` is a JSON array, as text, of the keys that other hosts at work have and this one
 * lacks, for a claim; NULL: there are none. The caller frees. */
int pass_host_announce(struct db *db, const struct pass_host *host, char **ret_foreign,
		       struct err *e);

/* How long no pass has been running on any host. If none ever has, counts from the migration to
 * this version of the schema. */
int pass_host_idle(struct db *db, uint64_t *ret_ms, struct err *e);

/* All of them, for the administrator: host, version, keys, lastPassAt, ageMs. */
int pass_host_list(struct db *db, json_t **ret_rows, struct err *e);

#endif
