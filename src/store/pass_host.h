#ifndef FSA_STORE_PASS_HOST_H
#define FSA_STORE_PASS_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"
#include "db/db.h"

/*
 * The hosts that passes run on, a row each: when one was last at work there, and with which keys.
 * All hosts are to have the same keys; where they do not, what is sealed to a key that only others
 * have is theirs to work on, so that a status does not go back and forth between two opinions.
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

/* For how long no pass has been at work on any host. One that has never been was due when the
 * schema was brought to this version. */
int pass_host_idle(struct db *db, uint64_t *ret_ms, struct err *e);

/* All of them, for the administrator: host, version, keys, lastPassAt, ageMs. */
int pass_host_list(struct db *db, json_t **ret_rows, struct err *e);

#endif
