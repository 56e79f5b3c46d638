/* Logs in by, or binds, an account at a provider that speaks OAuth.
 *
 * A login takes place in one window: /login redirects the browser to the provider, with a state in
 * the URL and a verifier in a cookie, and /callback completes it. A binding begins in one of our
 * pages, which opens a second window: /bind gives it the URL to open and the verifier to keep,
 * /callback is only a page that passes the code back to the page that opened it, and /finish takes
 * code and verifier in the user's own session. So a binding needs no cookie that a browser might
 * not send from a frame, and a stranger's code fits no verifier of the user's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "crypto/token.h"
#include "providers.h"
#include "store/contexts.h"
#include "store/identity.h"
#include "store/pending_login.h"
#include "web/page.h"
#include "web/return_path.h"
#include "web/router.h"

enum { CODE_MAX = 2048, SEALED_TOKEN_MAX = 16384 };

const struct field auth_login_query[] = {
	{ .name = "return_to",
	  .type = FIELD_STRING,
	  .min = 1,
	  .max = RETURN_PATH_MAX,
	  .pattern = "^(?!.*(//|/\\.+(/|$)))/([A-Za-z0-9._~!$&'()*+,;=:@/?#-]|%(2[0-46-9A-D]|"
		     "[3467][0-9A-D]|5[0-9ABD]|[89A-F][0-9A-F]))*$",
	  .check = return_path_check },
	FIELDS_END,
};

const struct field auth_callback_query[] = {
	{ .name = "state", .type = FIELD_STRING, .required = true, .min = 1, .max = 128 },
	{ .name = "code", .type = FIELD_STRING, .min = 1, .max = CODE_MAX },
	{ .name = "error", .type = FIELD_STRING, .min = 1, .max = 128 },
	FIELDS_END,
};

const struct field auth_finish_fields[] = {
	{ .name = "state", .type = FIELD_STRING, .required = true, .min = 1, .max = 128 },
	{ .name = "code", .type = FIELD_STRING, .required = true, .min = 1, .max = CODE_MAX },
	{ .name = "verifier",
	  .type = FIELD_STRING,
	  .required = true,
	  .min = TOKEN_LENGTH,
	  .max = TOKEN_LENGTH },
	FIELDS_END,
};

/* Names of auth_provider in the database. */
static const char *const stored_names[PROVIDER_COUNT] = {
	[PROVIDER_GITHUB] = "GITHUB", [PROVIDER_OIDC] = "GOOGLE", /* whichever is configured has
								     this place */
};

/* ---- shared by login and binding ------------------------------------------------------------- */

static int find_provider(const struct call *c, enum provider_kind kind,
			 const struct provider **ret_provider, struct fetcher **ret_fetcher,
			 struct err *e)
{
	const struct auth *auth = c->context;

	*ret_provider = providers_oauth(auth->providers, kind);
	if (*ret_provider == NULL)
		return providers_off(provider_id(kind), e);
	return providers_fetcher(auth->providers, ret_fetcher, e);
}

/* Begins a login; `ret_url` is where the browser is sent. The caller frees that. */
static int begin(struct call *c, enum provider_kind kind, const char *user_id,
		 const char *return_to, char ret_verifier[TOKEN_LENGTH + 1], char **ret_url,
		 struct err *e)
{
	const struct provider *provider = NULL;
	struct fetcher *fetcher = NULL;
	char state[TOKEN_LENGTH + 1];
	uint8_t state_hash[TOKEN_HASH_BYTES], verifier_hash[TOKEN_HASH_BYTES];
	CLEANUP(cleanup_free) char *url = NULL;

	token_make(state);
	token_make(ret_verifier);
	token_hash(state, state_hash);
	token_hash(ret_verifier, verifier_hash);
	struct pending_login_new made = {
		.state_hash = state_hash,
		.verifier_hash = verifier_hash,
		.provider = stored_names[kind],
		.user_id = user_id,
		.return_to = return_to,
	};
	if (find_provider(c, kind, &provider, &fetcher, e) < 0 ||
	    provider_login_url(provider, fetcher, state, ret_verifier, &url, e) < 0 ||
	    pending_login_create(c->db, &made, e) < 0)
		return -1;
	*ret_url = STEAL(url);
	return 0;
}

/* Takes the pending login, and asks the provider which account came back. */
static int come_back(struct call *c, enum provider_kind kind, const char *user_id,
		     const json_t *given, const char *verifier, struct pending_login *ret_login,
		     struct provider_account *ret_account, struct err *e)
{
	const struct provider *provider = NULL;
	struct fetcher *fetcher = NULL;
	const char *error = field_string(given, "error");
	struct provider_return back = { .code = field_string(given, "code"), .verifier = verifier };
	uint8_t state_hash[TOKEN_HASH_BYTES], verifier_hash[TOKEN_HASH_BYTES];

	token_hash(field_string(given, "state"), state_hash);
	token_hash(verifier, verifier_hash);
	if (find_provider(c, kind, &provider, &fetcher, e) < 0 ||
	    pending_login_take(c->db, stored_names[kind], user_id, state_hash, verifier_hash,
			       ret_login, e) < 0 ||
	    identity_clock(c->db, &back.now, e) < 0)
		return -1;
	if (error != NULL && strcmp(error, "access_denied") != 0)
		return err_set(e, ERR_PROVIDER, "PROVIDER_REFUSED",
			       "%s refused this site's request: its administrator has to look "
			       "at it",
			       provider->title);
	if (back.code == NULL || error != NULL)
		return err_set(e, ERR_FORBIDDEN, "LOGIN_DENIED",
			       "%s was not allowed to tell us who you are, so nothing was done: "
			       "begin again if you want to",
			       provider->title);
	return provider_identify(provider, fetcher, &back, ret_account, e);
}

/* The account, with its token sealed so that only the reconciler can read it. The caller owns
 * `sealed`. */
static int make_claim(struct call *c, enum provider_kind kind,
		      const struct provider_account *account, struct buf *sealed,
		      struct identity_claim *ret_claim, struct err *e)
{
	const struct auth *auth = c->context;
	CLEANUP(cleanup_free)
	char *context = mem_printf(CONTEXT_IDENTITY, stored_names[kind], account->id);

	if (account->token != NULL && providers_seal(auth->providers, context, account->token,
						     strlen(account->token), sealed, e) < 0)
		return -1;
	*ret_claim = (struct identity_claim) {
		.provider = stored_names[kind],
		.provider_user_id = account->id,
		.name = account->name,
		.metadata = account->metadata,
		.token = sealed->data,
		.token_length = sealed->length,
	};
	return 0;
}

/* ---- a login --------------------------------------------------------------------------------- */

static const char *cookie_name(const struct call *c)
{
	return c->router->secure ? "__Host-fsa-login" : "fsa-login";
}

/* Lax, so that the cookie is sent when the provider redirects the browser to us. */
static void set_cookie(const struct call *c, const char *verifier, int max_age_s)
{
	CLEANUP(cleanup_free)
	char *cookie =
		mem_printf("%s=%s; Path=/; Max-Age=%d; HttpOnly; SameSite=Lax%s", cookie_name(c),
			   verifier, max_age_s, c->router->secure ? "; Secure" : "");

	response_header(c->response, "Set-Cookie", cookie);
}

static int login(struct call *c, enum provider_kind kind, struct err *e)
{
	char verifier[TOKEN_LENGTH + 1];
	CLEANUP(cleanup_free) char *url = NULL;

	if (begin(c, kind, NULL, field_string(c->query, "return_to"), verifier, &url, e) < 0)
		return -1;
	set_cookie(c, verifier, PENDING_LOGIN_S);
	response_redirect(c->response, url);
	return 0;
}

static int log_in(struct call *c, enum provider_kind kind, const struct provider_account *account,
		  struct err *e)
{
	const struct auth *auth = c->context;
	struct identity_claim claim;
	struct identity_owner owner;
	CLEANUP(buf_release) struct buf sealed = BUF_INIT(SEALED_TOKEN_MAX);
	CLEANUP(db_rollback_guard) struct db *tx = NULL;

	if (make_claim(c, kind, account, &sealed, &claim, e) < 0 || db_begin(c->db, &tx, e) < 0 ||
	    identity_login(tx, &claim, providers_may_register(auth->providers), &owner, e) < 0 ||
	    login_finish(c, tx, owner.user_id, owner.identity_id, e) < 0)
		return -1;
	return db_commit(&tx, e);
}

static int finish_login(struct call *c, enum provider_kind kind, struct err *e)
{
	CLEANUP(cleanup_free) char *verifier = request_cookie(c->request, cookie_name(c));
	CLEANUP(provider_account_clear) struct provider_account account = { .id = NULL };
	struct pending_login pending;

	if (verifier == NULL)
		return err_set(e, ERR_FORBIDDEN, "LOGIN_BROWSER",
			       "This login was begun in another browser, or this one did not keep "
			       "the cookie that says so: begin again here");
	if (come_back(c, kind, NULL, c->query, verifier, &pending, &account, e) < 0 ||
	    log_in(c, kind, &account, e) < 0)
		return -1;
	set_cookie(c, "", 0);
	response_redirect(c->response, pending.return_to[0] ? pending.return_to : "/");
	return 0;
}

/* ---- a binding ------------------------------------------------------------------------------- */

static int begin_binding(struct call *c, enum provider_kind kind, struct err *e)
{
	char verifier[TOKEN_LENGTH + 1];
	CLEANUP(cleanup_free) char *url = NULL;

	if (begin(c, kind, c->session->user_id, NULL, verifier, &url, e) < 0)
		return -1;
	response_json(c->response, 200, json_pack("{s:s, s:s}", "url", url, "verifier", verifier));
	return 0;
}

/* The window's script passes what is in the URL to the page that opened it, if that is ours. */
static int hand_back(struct call *c)
{
	const struct page page = {
		.title = "Thank you",
		.text = "This window closes by itself. If it does not, close it and go back to the "
			"page that you came from.",
		.script = "/auth/callback.js",
	};

	page_show(c->response, 200, &page);
	return 0;
}

void auth_release_account(void *account)
{
	provider_account_clear(account);
	free(account);
}

static int prepare_binding(struct call *c, enum provider_kind kind, struct err *e)
{
	struct pending_login pending;
	struct provider_account *account = mem_calloc(1, sizeof(*account));

	c->prepared = account;
	return come_back(c, kind, c->session->user_id, c->body, field_string(c->body, "verifier"),
			 &pending, account, e);
}

static int finish_binding(struct call *c, enum provider_kind kind, struct err *e)
{
	const struct provider_account *account = c->prepared;
	CLEANUP(buf_release) struct buf sealed = BUF_INIT(SEALED_TOKEN_MAX);
	struct identity_claim claim;

	if (make_claim(c, kind, account, &sealed, &claim, e) < 0 ||
	    identity_bind(c->db, c->session->user_id, &claim, c->object_id, e) < 0)
		return -1;
	response_json(c->response, 200,
		      json_pack("{s:s, s:s, s:s}", "id", c->object_id, "provider",
				stored_names[kind], "name", account->name));
	return 0;
}

/* ---- the routes ------------------------------------------------------------------------------ */

static int callback(struct call *c, enum provider_kind kind, struct err *e)
{
	uint8_t state_hash[TOKEN_HASH_BYTES];
	bool binding;

	token_hash(field_string(c->query, "state"), state_hash);
	if (pending_login_is_binding(c->db, stored_names[kind], state_hash, &binding, e) < 0)
		return login_ended(c, provider_id(kind), -1, e);
	if (binding)
		return hand_back(c);
	return login_ended(c, provider_id(kind), finish_login(c, kind, e), e);
}

#define OAUTH_HANDLERS(id, kind)                                                                   \
	int auth_##id##_login(struct call *c, struct err *e)                                       \
	{                                                                                          \
		return login(c, kind, e);                                                          \
	}                                                                                          \
	int auth_##id##_callback(struct call *c, struct err *e)                                    \
	{                                                                                          \
		return callback(c, kind, e);                                                       \
	}                                                                                          \
	int auth_##id##_bind(struct call *c, struct err *e)                                        \
	{                                                                                          \
		return begin_binding(c, kind, e);                                                  \
	}                                                                                          \
	int auth_##id##_prepare(struct call *c, struct err *e)                                     \
	{                                                                                          \
		return prepare_binding(c, kind, e);                                                \
	}                                                                                          \
	int auth_##id##_finish(struct call *c, struct err *e)                                      \
	{                                                                                          \
		return finish_binding(c, kind, e);                                                 \
	}

OAUTH_HANDLERS(github, PROVIDER_GITHUB)
OAUTH_HANDLERS(oidc, PROVIDER_OIDC)
