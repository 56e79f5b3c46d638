/* A person who was invited by a link sets their password, and is logged in. */
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
	{ .name = "password",
	  .type = FIELD_STRING,
	  .required = true,
	  .min = 1,
	  .max = PASSWORD_MAX },
	{ .name = "bearer", .type = FIELD_BOOL },
	FIELDS_END,
};

/* Who could act as that user until now is out. */
static int set_password(struct db *tx, const struct password_identity *found, const char *hash,
			struct err *e)
{
	struct access_ended ended;
	bool replaced;

	if (user_replace_password_hash(tx, found->identity_id, found->hash, hash, &replaced, e) < 0)
		return -1;
	if (!replaced)
		return err_set(e, ERR_CONFLICT, "PASSWORD_CHANGED",
			       "the password was changed at the same time by another request");
	return access_end_all(tx, found->user_id, NULL, &ended, e);
}

/* The hash is made before the transaction, and only for who has a link. */
static int accept(struct call *c, struct err *e)
{
	const struct auth *auth = c->context;
	const char *password = field_string(c->body, "password");
	char hash[PASSWORD_HASH_MAX];
	uint8_t token[TOKEN_HASH_BYTES];
	struct password_identity found;
	CLEANUP(db_rollback_guard) struct db *tx = NULL;

	token_hash(field_string(c->body, "token"), token);
	if (invitation_find(c->db, token, &found, e) < 0)
		return -1;
	if (password_check_policy(password, found.name, e) < 0)
		return err_wrap(e, "password");
	if (password_hash(password, &auth->password, hash, e) < 0 || db_begin(c->db, &tx, e) < 0)
		return -1;
	c->db = tx;
	if (invitation_take(tx, token, e) < 0 || set_password(tx, &found, hash, e) < 0 ||
	    call_audit(c, "invitation.accept", found.user_id, found.identity_id, e) < 0 ||
	    login_finish(c, tx, found.user_id, found.identity_id, e) < 0)
		return -1;
	return db_commit(&tx, e);
}

int auth_invitation(struct call *c, struct err *e)
{
	return login_ended(c, "invitation", accept(c, e), e);
}
