#ifndef FSA_STORE_API_TOKEN_H
#define FSA_STORE_API_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"
#include "crypto/token.h"
#include "db/db.h"
#include "store/session.h"

/*
 * API tokens: what programs send instead of a session. Only the hash is stored. A token may read
 * what its owner may read, or also change it, until it expires, is deleted, its owner is disabled,
 * or the identity by which it was made is unbound.
 */
enum { API_TOKENS_MAX = 100 };

struct api_token_new {
	const char *user_id, *identity_id;
	const char *name;
	const uint8_t *token_hash;
	bool can_write;
	unsigned days; /* until it expires */
};
/* Those that expired more than a month ago go. `*ret_token`: as in api_token_list(); the caller
 * json_decref()s. ERR_CONFLICT, code TOO_MANY_TOKENS. */
int api_token_create(struct db *db, const struct api_token_new *t, json_t **ret_token,
		     struct err *e);
/* A user's, the newest first, as an array of objects: id, name, scope ("read" or "write"),
 * createdAt, expiresAt, expired, lastUsedAt. The caller json_decref()s. */
int api_token_list(struct db *db, const char *user_id, json_t **ret_tokens, struct err *e);
/* `*ret_saw_secrets`: it was used, and could read those of terminals. ERR_NOT_FOUND, code
 * TOKEN_NOT_FOUND. */
int api_token_delete(struct db *db, const char *user_id, const char *token_id,
		     bool *ret_saw_secrets, struct err *e);

/* Whom a token lets in, as a session; ERR_UNAUTHENTICATED otherwise. Its last use is noted at most
 * once a minute. */
int api_token_find(struct db *db, const uint8_t token_hash[TOKEN_HASH_BYTES],
		   struct session *ret_session, struct err *e);

#endif
