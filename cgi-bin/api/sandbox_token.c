/* Tokens for sandboxd: crypto/sandboxd_token.h. */
#include "api.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "crypto/sandboxd_token.h"
#include "crypto/token.h"
#include "render.h"
#include "store/membership.h"
#include "store/project.h"
#include "web/json.h"

#define SCOPE_PATTERN "^(terminal|exec|files:read|files:write|ports|usage)$"

enum { EXPIRES_MIN_S = 60, EXPIRES_MAX_S = 3600 };

static const char *const scopes[] = { "terminal",    "exec",  "files:read",
				      "files:write", "ports", "usage" };

static int check_scope(const char *value, struct err *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(scopes); i++)
		if (strcmp(scopes[i], value) == 0)
			return 0;
	return err_set(e, ERR_INVALID, "INVALID_SCOPE",
		       "must be terminal, exec, files:read, files:write, ports or usage");
}

const struct field sandbox_token_fields[] = {
	{ .name = "scopes",
	  .type = FIELD_STRINGS,
	  .required = true,
	  .min = 1,
	  .max = ARRAY_SIZE(scopes),
	  .pattern = SCOPE_PATTERN,
	  .check = check_scope },
	{ .name = "expiresIn", .type = FIELD_INTEGER, .min = EXPIRES_MIN_S, .max = EXPIRES_MAX_S },
	FIELDS_END,
};

/* The claim `scope`: names separated by blanks (RFC 8693, section 4.2). */
static char *join(const json_t *names)
{
	char *joined = mem_strdup("");

	for (size_t i = 0; i < json_array_size(names); i++) {
		char *longer = mem_printf("%s%s%s", joined, i == 0 ? "" : " ",
					  json_string_value(json_array_get(names, i)));
		free(joined);
		joined = longer;
	}
	return joined;
}

int api_make_token(const struct call *c, const struct sandbox *s, const struct token_wanted *wanted,
		   char **ret_token, char ret_expires[TOKEN_TIME_SIZE], struct err *e)
{
	char secret[TERMINAL_TOKEN_LENGTH + 1];
	time_t now = time(NULL), end = now + (time_t)wanted->lifetime_s;
	struct tm utc;

	if (render_terminal_token(c, s, secret, e) < 0)
		return -1;
	gmtime_r(&end, &utc);
	(void)strftime(ret_expires, TOKEN_TIME_SIZE, "%Y-%m-%dT%H:%M:%S.000Z", &utc);
	*ret_token = sandboxd_token_make(
		secret, &(struct sandboxd_token) {
				.issuer = conf_string(api_conf(c), CONF_PUBLIC_URL),
				.subject = c->session->user_id,
				.scope = wanted->scope,
				.issued = now,
				.expires = end,
				.host = wanted->host,
				.until = wanted->visit_s != 0 ? now + wanted->visit_s : 0 });
	explicit_bzero(secret, sizeof(secret));
	return 0;
}

int api_sandbox_token(struct call *c, const struct sandbox_view *view, json_t *wanted,
		      int64_t lifetime_s, json_t **ret_answer, struct err *e)
{
	CLEANUP(cleanup_free) char *scope = join(wanted);
	CLEANUP(cleanup_free) char *url = render_public_url(c, view->sandbox.ttyd_host);
	CLEANUP(cleanup_free) char *token = NULL;
	char when[TOKEN_TIME_SIZE];

	const struct token_wanted how = { .scope = scope, .lifetime_s = lifetime_s };
	if (api_make_token(c, &view->sandbox, &how, &token, when, e) < 0)
		return -1;
	memcpy(c->object_id, view->sandbox.resource.id, sizeof(c->object_id));
	c->audit_detail =
		json_pack("{s:O, s:I}", "scopes", wanted, "expiresIn", (json_int_t)lifetime_s);
	*ret_answer = json_pack("{s:s, s:s, s:O, s:s}", "token", token, "url", url, "scopes",
				wanted, "expiresAt", when);
	return 0;
}

/* Viewers get tokens that show how the sandbox is, and let nobody in: files may contain
 * credentials, and behind a port may be anything. */
static int check_role(const struct call *c, const json_t *wanted, struct err *e)
{
	size_t index;
	json_t *scope;

	if (c->role != PROJECT_VIEWER)
		return 0;
	json_array_foreach(wanted, index, scope)
	{
		if (strcmp(json_string_value(scope), "usage") != 0)
			return err_set(e, ERR_FORBIDDEN, "PROJECT_ROLE",
				       "You are a viewer of this project: only the scope usage is "
				       "for you");
	}
	return 0;
}

int sandbox_token_post(struct call *c, struct err *e)
{
	json_t *wanted = json_object_get(c->body, "scopes");
	int64_t lifetime_s = field_integer(c->body, "expiresIn", EXPIRES_MAX_S);
	CLEANUP(sandbox_view_clear) struct sandbox_view view = { .result = NULL };
	json_t *answer;

	if (check_role(c, wanted, e) < 0 ||
	    sandbox_get(c->db, c->owner_id, c->params[0],
			c->params[1] != NULL ? c->params[1] : SANDBOX_FIRST, &view, e) < 0 ||
	    api_sandbox_token(c, &view, wanted, lifetime_s, &answer, e) < 0 ||
	    membership_note_token(c->db, c->params[0], c->session->user_id, lifetime_s, e) < 0)
		return -1;
	response_json(c->response, 200, answer);
	return 0;
}
