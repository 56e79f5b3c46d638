#include "auth.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "crypto/token.h"
#include "store/access.h"
#include "store/api_token.h"
#include "web/json.h"
#include "web/router.h"

/* API tokens, for sessions only: a token cannot make tokens. These routes take no Idempotency-Key,
 * because a token would be in the stored response. */
enum { DAYS_DEFAULT = 90, DAYS_MAX = 366 };

int auth_check_token_scope(const char *scope, struct err *e)
{
	if (strcmp(scope, "read") != 0 && strcmp(scope, "write") != 0)
		return err_set(e, ERR_INVALID, "INVALID_SCOPE",
			       "is neither \"read\" nor \"write\"");
	return 0;
}

const struct field auth_token_fields[] = {
	FIELDS_TOKEN,
	{ .name = "password", .type = FIELD_STRING, .min = 1, .max = PASSWORD_MAX },
	{ .name = "expiresInDays", .type = FIELD_INTEGER, .min = 1, .max = DAYS_MAX },
	FIELDS_END,
};

int auth_tokens_get(struct call *c, struct err *e)
{
	json_t *tokens = NULL;

	if (api_token_list(c->db, c->session->user_id, &tokens, e) < 0)
		return -1;
	response_json(c->response, 200, json_pack("{s:o}", "items", tokens));
	return 0;
}

/* Requires the password: a stolen session must not become a token that outlives it. */
int auth_tokens_prepare(struct call *c, struct err *e)
{
	struct password_identity found;
	struct throttle throttle;

	if (!field_given(c->body, "password")) {
		if (c->session->recent)
			return 0;
		return err_set(
			e, ERR_FORBIDDEN, "LOGIN_NOT_RECENT",
			"to make a token, give your password, or log in again: your login is "
			"older than 10 minutes");
	}
	if (auth_check_password(c, &found, &throttle, e) < 0)
		return -1;
	return throttle_forgive(c->db, &throttle, e);
}

int auth_make_token(struct call *c, const struct auth_new_token *wanted, json_t **ret_made,
		    struct err *e)
{
	char token[API_TOKEN_LENGTH + 1];
	uint8_t hash[TOKEN_HASH_BYTES];
	CLEANUP(json_decrefp) json_t *made = NULL;

	token_make_api(token);
	token_hash(token, hash);
	const struct api_token_new new_token = {
		.user_id = wanted->user_id,
		.identity_id = wanted->identity_id,
		.name = wanted->name,
		.token_hash = hash,
		.can_write = wanted->can_write,
		.days = wanted->days,
	};
	if (api_token_create(c->db, &new_token, &made, e) < 0)
		return -1;
	(void)snprintf(c->object_id, sizeof(c->object_id), "%s", field_string(made, "id"));
	(void)json_object_set_new(made, "token", json_string(token));
	explicit_bzero(token, sizeof(token));
	*ret_made = STEAL(made);
	return 0;
}

int auth_tokens_post(struct call *c, struct err *e)
{
	const char *scope = field_string(c->body, "scope");
	const struct auth_new_token wanted = {
		.user_id = c->session->user_id,
		.identity_id = c->session->identity_id,
		.name = field_string(c->body, "name"),
		.can_write = scope != NULL && strcmp(scope, "write") == 0,
		.days = (unsigned)field_integer(c->body, "expiresInDays", DAYS_DEFAULT),
	};
	json_t *made;

	if (auth_make_token(c, &wanted, &made, e) < 0)
		return -1;
	response_json(c->response, 200, made);
	return 0;
}

int auth_token_delete(struct call *c, struct err *e)
{
	const char *user_id = c->session->user_id;
	int64_t terminals = 0;
	bool saw_secrets;

	if (api_token_delete(c->db, user_id, c->params[0], &saw_secrets, e) < 0 ||
	    (saw_secrets && access_renew_terminals(c->db, user_id, &terminals, e) < 0))
		return -1;
	response_json(c->response, 200,
		      json_pack("{s:b, s:I}", "success", 1, "terminals", (json_int_t)terminals));
	return 0;
}
