#ifndef FSA_STORE_USER_H
#define FSA_STORE_USER_H

#include <stdbool.h>

#include "base/err.h"
#include "crypto/password.h"
#include "db/db.h"
#include "store/store.h"

struct password_identity {
	bool found;
	bool disabled;
	char user_id[STORE_ID_LENGTH + 1];
	char identity_id[STORE_ID_LENGTH + 1];
	char name[255 * 4 + 1]; /* what its owner logs in as, in lower case */
	char hash[PASSWORD_HASH_MAX];
};

/* User names are compared without case. ERR_CONFLICT with code USER_EXISTS if taken. */
int user_register(struct db *db, const char *name, const char *password_hash,
		  char ret_user_id[STORE_ID_LENGTH + 1], char ret_identity_id[STORE_ID_LENGTH + 1],
		  struct err *e);
/* `found` false, and no error, for an unknown name. */
int user_find_password(struct db *db, const char *name, struct password_identity *ret_identity,
		       struct err *e);
/* The same by the user's id. */
int user_get_password(struct db *db, const char *user_id, struct password_identity *ret_identity,
		      struct err *e);
/* Only if it still is `old_hash`; `*ret_replaced` (NULL: not needed) says whether it was. */
int user_replace_password_hash(struct db *db, const char *identity_id, const char *old_hash,
			       const char *hash, bool *ret_replaced, struct err *e);

#endif
