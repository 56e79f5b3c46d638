/* A person invited by a link sets a password and is logged in. */
#include <string.h>

#include "auth.h"
#include "base/cleanup.h"
#include "crypto/token.h"
#include "store/access.h"
#include "store/invitation.h"
#include "web/router.h"

const struct field auth_invitation_fields[] = {
	{ .name = "token",
	  .type = FIELD_STRING,
	  .required = true,
	  .min = TOKEN_LENGTH,
	  .max = TOKEN_LENGTH },
	AUTH_FIELD_PASSWORD("password"),
	AUTH_FIELD_BEARER,
	FIELDS_END,
};

/* The password is hashed before the transaction, and only if the link is valid. */
static int accept(struct call *c, struct err *e)
{
	const struct auth *auth = c->context;
	const char *password = field_string(c->body, "password");
	char hash[PASSWORD_HASH_MAX];
	uint8_t token[TOKEN_HASH_BYTES];
	struct password_identity found;
	struct access_ended ended;
	CLEANUP(db_rollback_guard) struct db *tx = NULL;

	token_hash(field_string(c->body, "token"), token);
	if (invitation_find(c->db, token, &found, e) < 0)
		return -1;
	if (password_check_policy(password, found.name, e) < 0)
		return err_wrap(e, "password");
	if (password_hash(password, &auth->password, hash, e) < 0 || db_begin(c->db, &tx, e) < 0)
		return -1;
	c->db = tx;
	if (invitation_take(tx, token, e) < 0 ||
	    auth_replace_password(tx, &found, hash, NULL, &ended, e) < 0 ||
	    call_audit(c, "invitation.accept", found.user_id, found.identity_id, e) < 0 ||
	    login_finish(c, tx, found.user_id, found.identity_id, e) < 0)
		return -1;
	return db_commit(&tx, e);
}

int auth_invitation(struct call *c, struct err *e)
{
	return login_ended(c, "invitation", accept(c, e), e);
}
