#ifndef FSA_STORE_IDENTITY_H
#define FSA_STORE_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"
#include "db/db.h"
#include "store/store.h"

/* A person's identities: the accounts elsewhere, and the password here, by which they log in. Each
 * belongs to one user; a user has at least one, and one of them is the primary. */

/* What a provider says about somebody, when all that it says has been checked. */
struct identity_claim {
	const char *provider;         /* auth_provider: "GITHUB" */
	const char *provider_user_id; /* at most 255 bytes */
	const char *name;             /* of a new user; cut to 64 characters */
	const json_t *metadata;       /* an object; never a secret */
	const void *token;            /* sealed, NULL: none */
	size_t token_length;
};

struct identity_owner {
	char user_id[STORE_ID_LENGTH + 1];
	char identity_id[STORE_ID_LENGTH + 1];
};

/* The user of an identity, whose metadata and token are renewed; a new user with it if nobody has
 * it and `may_register`. Inside the caller's transaction. ERR_FORBIDDEN with code
 * REGISTRATION_CLOSED; ERR_UNAUTHENTICATED with code USER_DISABLED. */
int identity_login(struct db *tx, const struct identity_claim *claim, bool may_register,
		   struct identity_owner *ret_owner, struct err *e);

/* Adds an identity to this user, or renews it if they have it. Inside the caller's transaction.
 * ERR_CONFLICT with code IDENTITY_TAKEN: it belongs to another user. */
int identity_bind(struct db *tx, const char *user_id, const struct identity_claim *claim,
		  char ret_identity_id[STORE_ID_LENGTH + 1], struct err *e);

struct identity {
	const char *id, *provider, *provider_user_id;
	const char *name; /* what people know the account by, or NULL */
	bool is_primary;
	const char *created_at, *updated_at;
};
struct identity_rows {
	PGresult *result;
	size_t count;
	struct identity *items;
};
/* By provider, the password's first; of one provider in the order in which they came. */
int identity_list(struct db *db, const char *user_id, struct identity_rows *ret_rows,
		  struct err *e);
void identity_rows_clear(struct identity_rows *rows);

/* Removes an identity from its user, with its token and the sessions that began with it. If it was
 * the primary one, the oldest of the others becomes it. ERR_CONFLICT with code LAST_IDENTITY:
 * nobody could log in as this user any more. */
int identity_unbind(struct db *db, const char *user_id, const char *identity_id, struct err *e);
int identity_make_primary(struct db *db, const char *user_id, const char *identity_id,
			  struct err *e);

/* Seconds since 1970 by the database's clock, for the times in tokens. */
int identity_clock(struct db *db, int64_t *ret_now, struct err *e);

#endif
