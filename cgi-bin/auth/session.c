#include "auth.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/parse.h"
#include "crypto/token.h"
#include "store/throttle.h"
#include "providers.h"
#include "web/json.h"
#include "web/router.h"
#include "web/session.h"

/* `token` is NULL if the client has it in a cookie. */
static json_t *session_json(const struct session *s, const char *token)
{
	return json_pack("{s:{s:s, s:s, s:s}, s:s, s:s*}", "user", "name", s->user_name, "id",
			 s->user_id, "role", s->is_admin ? "admin" : "user", "expires",
			 s->expires_at, "token", token);
}

/* Ends the session of the cookie that is about to be replaced: nobody could end it later. */
static int end_previous(const struct call *c, struct db *tx, struct err *e)
{
	char token[API_TOKEN_LENGTH + 1];
	uint8_t hash[TOKEN_HASH_BYTES];
	enum credential credential;

	if (session_token(c->request, c->router->secure, token, &credential, NULL) < 0 ||
	    credential != CREDENTIAL_COOKIE)
		return 0;
	token_hash(token, hash);
	explicit_bzero(token, sizeof(token));
	return session_delete(tx, hash, e);
}

/* For the list of sessions. A value that is not text is no browser's. */
static const char *user_agent(const struct call *c)
{
	const char *name = request_variable(c->request, "HTTP_USER_AGENT");

	return name != NULL && parse_is_utf8(name, strlen(name)) ? name : NULL;
}

int login_finish(struct call *c, struct db *tx, const char *user_id, const char *identity_id,
		 struct err *e)
{
	const struct auth *auth = c->context;
	const struct router *router = c->router;
	bool bearer = field_bool(c->body, "bearer", false);
	char token[TOKEN_LENGTH + 1];
	uint8_t hash[TOKEN_HASH_BYTES];
	struct session session;

	token_make(token);
	token_hash(token, hash);
	struct session_new made = {
		.user_id = user_id,
		.identity_id = identity_id,
		.token_hash = hash,
		.lifetime_ms = auth->session_lifetime_ms,
		.address = request_client(c->request),
		.user_agent = user_agent(c),
	};
	c->db = tx;
	if ((!bearer && end_previous(c, tx, e) < 0) || session_create(tx, &made, e) < 0 ||
	    session_find(tx, hash, router->session_idle_ms, &session, e) < 0 ||
	    call_audit(c, "session.create", user_id, identity_id, e) < 0)
		return -1;
	response_json(c->response, 200, session_json(&session, bearer ? token : NULL));
	if (!bearer)
		session_set_cookie(c->response, router->secure, router->framed, token,
				   auth->session_lifetime_ms / 1000);
	explicit_bzero(token, sizeof(token));
	return 0;
}

struct throttle_client auth_client(const struct call *c)
{
	return (struct throttle_client) { request_client(c->request),
					  request_is_local(c->request) };
}

static int note_refused(struct call *c, const char *provider, struct err *e)
{
	struct throttle throttle;
	const struct throttle_client client = auth_client(c);

	c->db = c->router->db;
	(void)snprintf(c->object_id, sizeof(c->object_id), "%s", provider);
	if (throttle_begin(c->db, NULL, &client, &throttle, e) < 0)
		return -1;
	return call_audit(c, "login.refused", NULL, NULL, e);
}

int login_ended(struct call *c, const char *provider, int result, struct err *e)
{
	const char *word = "ok";
	struct err failed;

	if (result < 0)
		word = err_kind_http_status(e->kind) < 500 ? "refused" : "failed";
	metric_add(METRIC_LOGINS, 1, METRIC_LABELS(provider, word));
	bool theirs = result < 0 && (e->kind == ERR_UNAUTHENTICATED || e->kind == ERR_FORBIDDEN);
	if (theirs && note_refused(c, provider, &failed) < 0)
		*e = failed;
	return result;
}

int auth_logout(struct call *c, struct err *e)
{
	if (session_delete(c->db, c->session_hash, e) < 0)
		return -1;
	session_drop_cookie(c->response, c->router->secure, c->router->framed);
	response_json(c->response, 200, json_pack("{s:b}", "success", 1));
	return 0;
}

int auth_session(struct call *c, struct err *e)
{
	(void)e;
	response_json(c->response, 200, session_json(c->session, NULL));
	return 0;
}

/* The ids of the ways to log in that this site offers. */
int auth_providers(struct call *c, struct err *e)
{
	const struct auth *auth = c->context;
	CLEANUP(cleanup_free)
	char *login = mem_printf("%s/api/auth/login", c->router->public_origin);

	(void)e;
	json_t *offered =
		json_pack("{s:{s:s, s:s, s:s, s:s, s:s, s:b}}", "credentials", "id", "credentials",
			  "name", "credentials", "type", "credentials", "signinUrl", login,
			  "callbackUrl", login, "registration", auth->registration_open);
	providers_describe(c, offered);
	response_json(c->response, 200, offered);
	return 0;
}
