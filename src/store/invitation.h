#ifndef FSA_STORE_INVITATION_H
#define FSA_STORE_INVITATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "crypto/token.h"
#include "db/db.h"
#include "store/store.h"
#include "store/user.h"

/*
 * Invitations: links by which a user, new or not, sets a password of their own. Each is good for
 * once and until it expires; it is withdrawn by another one, and by whatever ends all access of its
 * user.
 */
enum { INVITATION_DAYS_DEFAULT = 7, INVITATION_DAYS_MAX = 30 };

/* `ret_expires_at` is an ISO 8601 time; the caller frees. */
int invitation_put(struct db *db, const char *user_id, const uint8_t token_hash[TOKEN_HASH_BYTES],
		   unsigned days, char **ret_expires_at, struct err *e);
int invitation_withdraw(struct db *db, const char *user_id, bool *ret_was_there, struct err *e);

/* Whose it is, as it stands now. ERR_FORBIDDEN INVITATION_INVALID: unknown, used, withdrawn or
 * expired, or its user is disabled: the answer does not say which. */
int invitation_find(struct db *db, const uint8_t token_hash[TOKEN_HASH_BYTES],
		    struct password_identity *ret_identity, struct err *e);
/* Uses the invitation. ERR_FORBIDDEN as above: it was used meanwhile. */
int invitation_take(struct db *tx, const uint8_t token_hash[TOKEN_HASH_BYTES], struct err *e);

#endif
