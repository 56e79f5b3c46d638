/* GitHub and GitHub Enterprise: OAuth apps, docs.github.com/apps/oauth-apps. */
#include <inttypes.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "provider/oauth.h"

enum { LOGIN_MAX = 100 };

int github_login_url(const struct provider *p, struct fetcher *f, const char *state,
		     const char *verifier, char **ret_url, struct err *e)
{
	CLEANUP(cleanup_free) char *endpoint = oauth_join(p->url, "/login/oauth/authorize");

	(void)f;
	(void)e;
	*ret_url = oauth_login_url(p, endpoint, state, verifier, NULL);
	return 0;
}

/* The account's number, not its login, which may pass to somebody else. */
static int read_user(const json_t *user, const char *token, struct provider_account *ret_account,
		     struct err *e)
{
	const json_t *id = json_object_get(user, "id");
	const char *login = oauth_text(user, "login", LOGIN_MAX);

	if (!json_is_integer(id) || json_integer_value(id) <= 0)
		return oauth_implausible(e, "user id");
	if (login == NULL)
		return oauth_implausible(e, "user name");
	*ret_account = (struct provider_account) {
		.id = mem_printf("%" PRId64, (int64_t)json_integer_value(id)),
		.name = mem_strdup(login),
		.metadata = json_pack("{s:s}", "name", login),
		.token = mem_strdup(token),
	};
	return 0;
}

int github_identify(const struct provider *p, struct fetcher *f, const struct provider_return *back,
		    struct provider_account *ret_account, struct err *e)
{
	CLEANUP(cleanup_free) char *endpoint = oauth_join(p->url, "/login/oauth/access_token");
	CLEANUP(cleanup_free) char *user_url = oauth_join(p->api_url, "/user");
	CLEANUP(json_decrefp) json_t *answer = NULL;
	CLEANUP(json_decrefp) json_t *user = NULL;
	long status;

	const struct oauth_code code = { .endpoint = endpoint,
					 .code = back->code,
					 .verifier = back->verifier };
	if (oauth_exchange(p, f, &code, &answer, e) < 0)
		return -1;
	const char *token = json_string_value(json_object_get(answer, "access_token"));
	const struct fetch request = { .url = user_url, .bearer = token };
	if (fetch_json(f, &request, &user, &status, e) < 0)
		return -1;
	if (status != 200)
		return oauth_implausible(e, "user");
	return read_user(user, token, ret_account, e);
}
