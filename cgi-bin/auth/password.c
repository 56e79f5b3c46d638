#include "auth.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/metric.h"
#include "store/user.h"

enum { USER_NAME_MAX = 64 };

/* Names are compared without case and shown to others: no two may look alike. */
static int check_user_name(const char *name, struct err *e)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789._@-";

	if (name[strspn(name, allowed)] != '\0' || strchr("._@-", name[0]) != NULL)
		return err_set(e, ERR_INVALID, "INVALID_USER_NAME",
			       "a user name has letters, digits, '.', '_', '@' and '-', and "
			       "begins with a letter or a digit");
	return 0;
}

const struct field auth_password_fields[] = {
	{ .name = "name",
	  .type = FIELD_STRING,
	  .required = true,
	  .min = 1,
	  .max = USER_NAME_MAX,
	  .check = check_user_name },
	{ .name = "password",
	  .type = FIELD_STRING,
	  .required = true,
	  .min = 1,
	  .max = PASSWORD_MAX },
	{ .name = "bearer", .type = FIELD_BOOL },
	FIELDS_END,
};

static void count_login(const char *result)
{
	metric_add(METRIC_LOGINS, 1, METRIC_LABELS("password", result));
}

int auth_register(struct call *c, struct err *e)
{
	const struct auth *auth = c->context;
	const char *name = field_string(c->body, "name");
	const char *password = field_string(c->body, "password");
	char hash[PASSWORD_HASH_MAX];
	char user_id[STORE_ID_LENGTH + 1], identity_id[STORE_ID_LENGTH + 1];
	CLEANUP(db_rollback_guard) struct db *tx = NULL;

	if (!auth->registration_open)
		return err_set(e, ERR_FORBIDDEN, "REGISTRATION_CLOSED",
			       "This site does not take registrations; ask its administrator");
	if (password_check_policy(password, name, e) < 0)
		return err_wrap(e, "password");
	/* Slow on purpose: before the transaction, so that none waits for it. */
	if (password_hash(password, &auth->password, hash, e) < 0 || db_begin(c->db, &tx, e) < 0)
		return -1;
	if (user_register(tx, name, hash, user_id, identity_id, e) < 0 ||
	    login_finish(c, tx, user_id, identity_id, e) < 0 || db_commit(&tx, e) < 0)
		return -1;
	count_login("registered");
	return 0;
}

/* A hash made with weaker parameters than today's is replaced while the password is at hand. */
static int renew_hash(struct db *db, const struct auth *auth, const struct password_identity *found,
		      const char *password, struct err *e)
{
	char hash[PASSWORD_HASH_MAX];

	if (!password_needs_rehash(found->hash, &auth->password))
		return 0;
	if (password_hash(password, &auth->password, hash, e) < 0)
		return -1;
	return user_set_password_hash(db, found->identity_id, hash, e);
}

/* An unknown name, a wrong password and a disabled user look alike and take the same time. */
int auth_login(struct call *c, struct err *e)
{
	const struct auth *auth = c->context;
	const char *password = field_string(c->body, "password");
	struct password_identity found;
	CLEANUP(db_rollback_guard) struct db *tx = NULL;

	if (user_find_password(c->db, field_string(c->body, "name"), &found, e) < 0)
		return -1;
	bool right = password_verify(found.found ? found.hash : NULL, password, &auth->password);
	if (!right || found.disabled) {
		count_login("refused");
		return err_set(e, ERR_UNAUTHENTICATED, "INVALID_CREDENTIALS",
			       "The name or the password is wrong");
	}
	if (renew_hash(c->db, auth, &found, password, e) < 0 || db_begin(c->db, &tx, e) < 0 ||
	    login_finish(c, tx, found.user_id, found.identity_id, e) < 0 || db_commit(&tx, e) < 0)
		return -1;
	count_login("ok");
	return 0;
}
