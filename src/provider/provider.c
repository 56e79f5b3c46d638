#include "provider/provider.h"

#include <stdlib.h>
#include <string.h>

#include "provider/oauth.h"

static const struct {
	const char *id, *title;
	int (*login_url)(const struct provider *p, struct fetcher *f, const char *state,
			 const char *verifier, char **ret_url, struct err *e);
	int (*identify)(const struct provider *p, struct fetcher *f, const char *code,
			const char *verifier, struct provider_account *ret_account, struct err *e);
} kinds[PROVIDER_COUNT] = {
	[PROVIDER_GITHUB] = { "github", "GitHub", github_login_url, github_identify },
};

const char *provider_id(enum provider_kind kind)
{
	return kinds[kind].id;
}

const char *provider_title(enum provider_kind kind)
{
	return kinds[kind].title;
}

int provider_login_url(const struct provider *p, struct fetcher *f, const char *state,
		       const char *verifier, char **ret_url, struct err *e)
{
	if (kinds[p->kind].login_url(p, f, state, verifier, ret_url, e) < 0)
		return err_wrap(e, "%s", kinds[p->kind].title);
	return 0;
}

int provider_identify(const struct provider *p, struct fetcher *f, const char *code,
		      const char *verifier, struct provider_account *ret_account, struct err *e)
{
	if (kinds[p->kind].identify(p, f, code, verifier, ret_account, e) < 0)
		return err_wrap(e, "%s", kinds[p->kind].title);
	return 0;
}

void provider_account_clear(struct provider_account *account)
{
	if (account->token != NULL)
		explicit_bzero(account->token, strlen(account->token));
	free(account->token);
	free(account->id);
	free(account->name);
	json_decref(account->metadata);
	*account = (struct provider_account) { .id = NULL };
}
