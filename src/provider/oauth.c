#include "provider/oauth.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "crypto/token.h"
#include "http/client.h"

char *oauth_join(const char *url, const char *path)
{
	int length = (int)strlen(url);

	return mem_printf("%.*s%s", length - (length > 0 && url[length - 1] == '/'), url, path);
}

char *oauth_login_url(const struct provider *p, const char *endpoint, const char *state,
		      const char *verifier, const char *nonce)
{
	char challenge[TOKEN_LENGTH + 1];

	token_challenge(verifier, challenge);
	const char *const pairs[][2] = {
		{ "response_type", "code" },
		{ "client_id", p->client_id },
		{ "redirect_uri", p->redirect_uri },
		{ "scope", p->scope },
		{ "state", state },
		{ "nonce", nonce },
		{ "code_challenge", challenge },
		{ "code_challenge_method", "S256" },
		{ NULL, NULL },
	};
	CLEANUP(cleanup_free) char *query = fetch_form(pairs);
	return mem_printf("%s%c%s", endpoint, strchr(endpoint, '?') ? '&' : '?', query);
}

const char *oauth_text(const json_t *object, const char *name, size_t max)
{
	const json_t *member = json_object_get(object, name);
	const char *text = json_string_value(member);
	size_t length = json_string_length(member);

	if (text == NULL || length == 0 || length > max)
		return NULL;
	for (const char *p = text; *p != '\0'; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return NULL;
	}
	return text;
}

int oauth_implausible(struct err *e, const char *what)
{
	return err_set(e, ERR_PROVIDER, "PROVIDER_ANSWER", "answered without a usable %s", what);
}

/* RFC 6749, section 5.2, and GitHub's own codes. Other errors are our fault or the provider's. */
static int explain(const json_t *answer, struct err *e)
{
	static const char *const of_code[] = { "invalid_grant", "bad_verification_code",
					       "access_denied" };
	static const char *const of_client[] = { "invalid_client", "unauthorized_client",
						 "incorrect_client_credentials",
						 "redirect_uri_mismatch" };
	const char *error = json_string_value(json_object_get(answer, "error"));

	for (size_t i = 0; error != NULL && i < ARRAY_SIZE(of_code); i++) {
		if (strcmp(error, of_code[i]) == 0)
			return err_set(e, ERR_INVALID, "CODE_REFUSED",
				       "does not take the code that your browser brought: begin "
				       "again");
	}
	for (size_t i = 0; error != NULL && i < ARRAY_SIZE(of_client); i++) {
		if (strcmp(error, of_client[i]) == 0)
			return err_set(e, ERR_PROVIDER, "PROVIDER_REFUSED",
				       "does not take this site's client id, secret or address: "
				       "its administrator has to correct that");
	}
	return oauth_implausible(e, "token");
}

static bool has_usable_token(const json_t *answer)
{
	const char *type = json_string_value(json_object_get(answer, "token_type"));
	const char *token = json_string_value(json_object_get(answer, "access_token"));

	return fetch_is_token(token) && type != NULL && strcasecmp(type, "bearer") == 0;
}

/* RFC 6749, section 2.3.1: both are form-encoded before they are joined. */
static char *basic_of(const struct provider *p)
{
	CLEANUP(cleanup_free) char *id = http_escape(p->client_id);
	char *secret = http_escape(p->client_secret);
	char *basic = mem_printf("%s:%s", id, secret);

	explicit_bzero(secret, strlen(secret));
	free(secret);
	return basic;
}

int oauth_exchange(const struct provider *p, struct fetcher *f, const struct oauth_code *code,
		   json_t **ret_answer, struct err *e)
{
	CLEANUP(json_decrefp) json_t *answer = NULL;
	long status;
	const char *const pairs[][2] = {
		{ "grant_type", "authorization_code" },
		{ "client_id", p->client_id },
		{ "client_secret", code->secret_in_header ? NULL : p->client_secret },
		{ "code", code->code },
		{ "redirect_uri", p->redirect_uri },
		{ "code_verifier", code->verifier },
		{ NULL, NULL },
	};
	char *form = fetch_form(pairs);
	char *basic = code->secret_in_header ? basic_of(p) : mem_strdup("");
	const struct fetch request = { .url = code->endpoint,
				       .basic = code->secret_in_header ? basic : NULL,
				       .form = form };
	int result = fetch_json(f, &request, &answer, &status, e);

	explicit_bzero(form, strlen(form));
	explicit_bzero(basic, strlen(basic));
	free(form);
	free(basic);
	if (result < 0)
		return -1;
	if (status != 200 || json_object_get(answer, "error") != NULL ||
	    (!code->token_unused && !has_usable_token(answer)))
		return explain(answer, e);
	*ret_answer = STEAL(answer);
	return 0;
}
