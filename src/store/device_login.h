#ifndef FSA_STORE_DEVICE_LOGIN_H
#define FSA_STORE_DEVICE_LOGIN_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"
#include "crypto/token.h"
#include "db/db.h"
#include "store/store.h"
#include "store/throttle.h"
#include "store/throttle.h"

/*
 * Programs that ask for an API token from a machine without a browser (RFC 8628). Each has a
 * secret, of which only the hash is stored, and a short code, which a person types into the
 * console. The code lets nobody in: it only finds what asks.
 */
enum {
	DEVICE_LOGIN_S = 600,
	DEVICE_POLL_S = 5, /* how often a program may ask what became of it */
	DEVICE_LOGINS_MAX = 10000,
	DEVICE_LOGINS_OF_NETWORK_MAX = 10,
};
#define DEVICE_CODE_LETTERS "BCDFGHJKLMNPQRSTVWXZ" /* none that is read as another, no words */
enum { DEVICE_CODE_LENGTH = 8 };

struct device_login_new {
	const uint8_t *device_hash; /* TOKEN_HASH_BYTES */
	const char *user_code, *name;
	struct throttle_client client;
	bool can_write;
};
/* Also removes expired ones. ERR_RATE_LIMITED, code TOO_MANY_DEVICES: there are as many as there
 * may be, of that client's network or in all. */
int device_login_create(struct db *db, const struct device_login_new *n, struct err *e);

/* What asks with a code, if it has not been answered: name, scope, address, createdAt, expiresAt.
 * ERR_NOT_FOUND, code DEVICE_CODE_NOT_FOUND. */
int device_login_find(struct db *db, const char *user_code, json_t **ret_asking, struct err *e);
/* Allows it, as the user of a session, or refuses it; once. Errors as above. */
int device_login_answer(struct db *db, const char *user_code,
			const uint8_t session_hash[TOKEN_HASH_BYTES], bool allow, struct err *e);

struct device_login {
	char user_id[STORE_ID_LENGTH + 1], identity_id[STORE_ID_LENGTH + 1];
	char name[64 * 4 + 1];
	bool can_write;
};
/* What became of it. ERR_INVALID with code AUTHORIZATION_PENDING, or EXPIRED_TOKEN if it is not
 * known (any more); ERR_FORBIDDEN ACCESS_DENIED; ERR_RATE_LIMITED SLOW_DOWN. */
int device_login_poll(struct db *db, const uint8_t device_hash[TOKEN_HASH_BYTES], struct err *e);
/* Uses up one that was allowed; ERR_INVALID EXPIRED_TOKEN: there is none. */
int device_login_take(struct db *db, const uint8_t device_hash[TOKEN_HASH_BYTES],
		      struct device_login *ret_login, struct err *e);

#endif
