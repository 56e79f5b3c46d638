#ifndef FSA_AUTH_AUTH_H
#define FSA_AUTH_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/password.h"
#include "store/access.h"
#include "store/throttle.h"
#include "store/user.h"
#include "web/route.h"

/* Shared by auth.fcgi's handlers. There is a file for each way to log in; each ends in
 * login_finish(). */
extern const struct route auth_routes[];

struct providers;

struct auth {
	struct providers *providers;
	struct password_params password;
	bool registration_open;
	bool registers_at_login;
	uint64_t session_lifetime_ms;
};

/* password.c */
route_fn auth_register, auth_login, auth_password_prepare, auth_password_put;
/* Whom limits for an address count. */
struct throttle_client auth_client(const struct call *c);
/* Checks that the body's "password" is the password of the user who is logged in. ERR_FORBIDDEN
 * WRONG_PASSWORD, ERR_NOT_FOUND NO_PASSWORD, or ERR_RATE_LIMITED: it was tried too often. */
int auth_check_password(struct call *c, struct password_identity *ret_found,
			struct throttle *ret_throttle, struct err *e);
/* In a transaction. Ends all access of the user except the session with this hash (NULL: none), so
 * that nobody else who knew the old password keeps access. ERR_CONFLICT: the password has changed
 * since it was checked. */
int auth_replace_password(struct db *db, const struct password_identity *found, const char *hash,
			  const uint8_t *session_hash, struct access_ended *ret_ended,
			  struct err *e);
/* invitation.c */
route_fn auth_invitation;
/* session.c */
route_fn auth_logout, auth_session, auth_providers;
/* health.c */
route_fn auth_ready;

/* sealos.c */
enum { SEALOS_BODY_MAX = 180224 }; /* a token and a kubeconfig, every other byte escaped */
route_fn auth_sealos, auth_sealos_bind;

/* identities.c */
route_fn auth_identities_get, auth_identity_delete, auth_identity_primary;

/* oauth.c: each route once for each provider. */
route_fn auth_github_login, auth_github_callback, auth_github_bind, auth_github_prepare,
	auth_github_finish;
route_fn auth_oidc_login, auth_oidc_callback, auth_oidc_bind, auth_oidc_prepare, auth_oidc_finish;
void auth_release_account(void *account);

/* sessions.c */
route_fn auth_sessions_get, auth_sessions_delete, auth_session_delete;

/* tokens.c */
route_fn auth_tokens_get, auth_tokens_prepare, auth_tokens_post, auth_token_delete;
int auth_check_token_scope(const char *scope, struct err *e);
/* What a token is to be, for tables of fields. */
enum { AUTH_TOKEN_NAME_MAX = 64 };
#define FIELDS_TOKEN                                                                               \
	{ .name = "name",                                                                          \
	  .type = FIELD_STRING,                                                                    \
	  .required = true,                                                                        \
	  .min = 1,                                                                                \
	  .max = AUTH_TOKEN_NAME_MAX },                                                            \
	{                                                                                          \
		.name = "scope", .type = FIELD_STRING, .min = 1, .max = 5,                         \
		.pattern = "^(read|write)$", .check = auth_check_token_scope                       \
	}
struct auth_new_token {
	const char *user_id, *identity_id, *name;
	bool can_write;
	unsigned days;
};
/* `*ret_made`: as in api_token_list(), with `token`, which no other response contains. */
int auth_make_token(struct call *c, const struct auth_new_token *wanted, json_t **ret_made,
		    struct err *e);

/* device.c */
route_fn auth_device_post, auth_device_token_post, auth_device_get, auth_device_prepare,
	auth_device_answer;

/* Fields that several bodies have. */
#define AUTH_FIELD_PASSWORD(n)                                                                     \
	{                                                                                          \
		.name = (n), .type = FIELD_STRING, .required = true, .min = 1, .max = PASSWORD_MAX \
	}
#define AUTH_FIELD_BEARER                                                                          \
	{                                                                                          \
		.name = "bearer", .type = FIELD_BOOL                                               \
	}
extern const struct field auth_password_fields[], auth_invitation_fields[], auth_sealos_fields[],
	auth_sealos_bind_fields[], auth_login_query[], auth_callback_query[], auth_finish_fields[],
	auth_sessions_query[], auth_token_fields[], auth_password_change_fields[],
	auth_device_fields[], auth_device_token_fields[], auth_device_query[],
	auth_device_answer_fields[];

/*
 * The end of every way to log in, inside the transaction `tx`: a new session for the identity, the
 * end of the one whose cookie the new one replaces, a line in the audit, and the answer: a cookie,
 * or, when the body had "bearer": true, the token for "Authorization: Bearer". The caller commits.
 */
int login_finish(struct call *c, struct db *tx, const char *user_id, const char *identity_id,
		 struct err *e);
/* The other end of those that take a provider's word: counts how an attempt ended, and returns
 * `result`. What the client did wrong is in the audit, as often as the throttle lets one address do
 * that; then it may be another error. */
int login_ended(struct call *c, const char *provider, int result, struct err *e);

#endif
