#include "provider/sealos.h"

#include <string.h>

#include "base/cleanup.h"
#include "crypto/jwt.h"

enum { CLAIM_MAX = 255 };

static const char *const names[] = {
	"userId", "userUid", "regionUid", "userCrUid", "userCrName", "workspaceUid", "workspaceId",
};

static int copy_claims(const json_t *claims, json_t *known, struct err *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *text = NULL;
		if (jwt_text(claims, names[i], CLAIM_MAX, &text, e) < 0)
			return -1;
		json_object_set_new(known, names[i], json_string(text));
	}
	return 0;
}

static const char *claim(const json_t *known, const char *name)
{
	return json_string_value(json_object_get(known, name));
}

int sealos_read_token(const char *token, const struct buf *secret, int64_t now,
		      struct sealos_account *ret_account, struct err *e)
{
	CLEANUP(json_decrefp) json_t *claims = NULL;
	CLEANUP(json_decrefp) json_t *known = json_object();
	const struct jwt_key key = { JWT_HS256, secret->data, secret->length };

	if (jwt_read_claims(token, &key, &claims, e) < 0 || jwt_check_times(claims, now, e) < 0 ||
	    copy_claims(claims, known, e) < 0)
		return err_wrap(e, "Sealos");
	*ret_account = (struct sealos_account) {
		.user_id = claim(known, "userId"),
		.workspace_id = claim(known, "workspaceId"),
	};
	ret_account->claims = STEAL(known);
	return 0;
}

void sealos_account_clear(struct sealos_account *account)
{
	json_decref(account->claims);
	*account = (struct sealos_account) { .claims = NULL };
}

int sealos_check_namespace(const struct sealos_account *account, const char *namespace,
			   struct err *e)
{
	if (strcmp(namespace, account->workspace_id) == 0)
		return 0;
	return err_set(e, ERR_UNPROCESSABLE, "WORKSPACE_MISMATCH",
		       "The kubeconfig is for another workspace than the one that is open in the "
		       "Sealos desktop: open the app there again");
}
