#ifndef FSA_STORE_SESSION_H
#define FSA_STORE_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"
#include "crypto/token.h"
#include "db/db.h"
#include "store/membership.h"
#include "store/store.h"

struct session {
	char user_id[STORE_ID_LENGTH + 1];
	char identity_id[STORE_ID_LENGTH + 1];
	char user_name[64 * 4 + 1];
	char expires_at[32];                    /* the sooner of idle and absolute expiry */
	char api_token_id[STORE_ID_LENGTH + 1]; /* of store/api_token.h; "": a session */
	bool read_only;
	bool is_admin; /* has the role; never with an API token */
	bool recent;   /* logged in within the last 10 minutes */
};

/* The session with that token hash, if neither expired nor idle for over `idle_ms` and its user is
 * not disabled; ERR_UNAUTHENTICATED otherwise. Its last use is noted at most once a minute. */
int session_find(struct db *db, const uint8_t token_hash[TOKEN_HASH_BYTES], uint64_t idle_ms,
		 struct session *ret_session, struct err *e);
/* The same, and what its user is to a project, in one statement: `ret_access->owner_id` is "" if
 * they are nothing to it. */
int session_find_for(struct db *db, const uint8_t token_hash[TOKEN_HASH_BYTES], uint64_t idle_ms,
		     const char *project_id, struct session *ret_session,
		     struct project_access *ret_access, struct err *e);

struct session_new {
	const char *user_id, *identity_id;
	const uint8_t *token_hash;
	uint64_t lifetime_ms;
	const char *address;    /* or NULL */
	const char *user_agent; /* or NULL; cut to 256 characters */
};
/* Of a user's sessions, all but the SESSIONS_MAX last used end. */
enum { SESSIONS_MAX = 100 };
int session_create(struct db *db, const struct session_new *s, struct err *e);
/* No error if there is none. */
int session_delete(struct db *db, const uint8_t token_hash[TOKEN_HASH_BYTES], struct err *e);

/* A user's sessions that have not expired, the last used first, as an array of objects: id,
 * provider, createdAt, lastSeenAt, expiresAt, address, userAgent, and current: whether it is
 * `own_hash`'s. The caller json_decref()s. */
int session_list(struct db *db, const char *user_id, const uint8_t own_hash[TOKEN_HASH_BYTES],
		 uint64_t idle_ms, json_t **ret_sessions, struct err *e);
/* Ends one of them. ERR_NOT_FOUND, code SESSION_NOT_FOUND. */
int session_end(struct db *db, const char *user_id, const char *session_id, struct err *e);

#endif
