#ifndef FSA_STORE_PENDING_LOGIN_H
#define FSA_STORE_PENDING_LOGIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "crypto/token.h"
#include "db/db.h"
#include "store/store.h"

/*
 * Logins and bindings that were sent to a provider and have not returned yet (RFC 6749 with 7636).
 * Two random tokens belong to each: the state, which travels in URLs, and the verifier, which stays
 * in the browser and never does. Only the hashes of both are stored, so the table lets nobody in.
 * Each can be used once, whatever the outcome.
 */
enum { PENDING_LOGIN_S = 600 };

struct pending_login {
	char user_id[STORE_ID_LENGTH + 1]; /* the user of a binding; "": a login */
	char return_to[512 + 1];           /* "": not said */
};

struct pending_login_new {
	const uint8_t *state_hash, *verifier_hash; /* TOKEN_HASH_BYTES each */
	const char *provider;                      /* auth_provider */
	const char *user_id;                       /* or NULL */
	const char *return_to;                     /* or NULL; passed return_path_check() */
};
/* Also removes abandoned ones. */
int pending_login_create(struct db *db, const struct pending_login_new *n, struct err *e);

/* Whether the state belongs to a binding, without using it up. ERR_INVALID with code LOGIN_STATE:
 * not known (any more), LOGIN_EXPIRED. */
int pending_login_is_binding(struct db *db, const char *provider,
			     const uint8_t state_hash[TOKEN_HASH_BYTES], bool *ret_binding,
			     struct err *e);

/* Uses it up. `user_id`: the user of a binding, or NULL for a login. Errors as above, and
 * ERR_FORBIDDEN with code LOGIN_BROWSER if it was begun by another browser or user: then it is
 * kept. */
int pending_login_take(struct db *db, const char *provider, const char *user_id,
		       const uint8_t state_hash[TOKEN_HASH_BYTES],
		       const uint8_t verifier_hash[TOKEN_HASH_BYTES],
		       struct pending_login *ret_login, struct err *e);

#endif
