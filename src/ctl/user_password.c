/* fsactl user create, user password: a person's way in where the site takes no registrations, or
 * when they have forgotten their password. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "crypto/password.h"
#include "crypto/token.h"
#include "ctl/administrator.h"
#include "ctl/output.h"
#include "domain/user.h"
#include "store/access.h"
#include "store/admin.h"
#include "store/user.h"

enum { PASSWORD_LENGTH = 20 }; /* letters and digits: 119 bits */

/* A password that nobody has chosen, so that none stands in a history or a process's arguments. */
static int make_password(const struct call *call, char ret_password[PASSWORD_LENGTH + 1],
			 char ret_hash[PASSWORD_HASH_MAX], struct err *e)
{
	const struct password_params params = {
		.passes = conf_number(call->conf, CONF_PASSWORD_PASSES),
		.memory_bytes = (size_t)conf_number(call->conf, CONF_PASSWORD_MEMORY_KIB) * 1024,
	};

	token_alphanumeric(ret_password, PASSWORD_LENGTH);
	return password_hash(ret_password, &params, ret_hash, e);
}

/* The only place where the password can be read. */
static void print_password(const struct call *call, const char *user_id, const char *name,
			   const char *password)
{
	CLEANUP(json_decrefp)
	json_t *made =
		json_pack("{s:s, s:s, s:s}", "id", user_id, "name", name, "password", password);

	if (!output_json(call, made))
		(void)printf(
			"%s logs in with the password %s\n"
			"It is shown only this once, and can be changed on the account page.\n",
			name, password);
}

int command_user_create(const struct call *call, struct err *e)
{
	CLEANUP(db_freep) struct db *db = call_database(call);
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	const char *name = call->arguments[0];
	char password[PASSWORD_LENGTH + 1], hash[PASSWORD_HASH_MAX];
	char user_id[STORE_ID_LENGTH + 1], identity_id[STORE_ID_LENGTH + 1];

	if (user_name_check(name, e) < 0 || make_password(call, password, hash, e) < 0 ||
	    db_begin(db, &tx, e) < 0 ||
	    user_register(tx, name, hash, user_id, identity_id, e) < 0 ||
	    administrator_note(tx, "admin.user.create", "user", user_id, e) < 0 ||
	    db_commit(&tx, e) < 0)
		return -1;
	print_password(call, user_id, name, password);
	explicit_bzero(password, sizeof(password));
	return 0;
}

/* A new password, and the end of whatever the old one has opened. */
static int replace(struct db *tx, const struct password_identity *identity, const char *hash,
		   struct err *e)
{
	struct access_ended ended;
	bool replaced;

	if (user_replace_password_hash(tx, identity->identity_id, identity->hash, hash, &replaced,
				       e) < 0)
		return -1;
	if (!replaced)
		return err_set(e, ERR_CONFLICT, NULL,
			       "the user has changed the password this very moment");
	if (access_end_all(tx, identity->user_id, NULL, &ended, e) < 0)
		return -1;
	return administrator_note(tx, "admin.user.password", "user", identity->user_id, e);
}

int command_user_password(const struct call *call, struct err *e)
{
	CLEANUP(db_freep) struct db *db = call_database(call);
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	struct password_identity identity;
	char password[PASSWORD_LENGTH + 1], hash[PASSWORD_HASH_MAX];
	char id[STORE_ID_LENGTH + 1];

	if (admin_find_user(db, call->arguments[0], id, e) < 0 ||
	    user_get_password(db, id, &identity, e) < 0)
		return -1;
	if (!identity.found)
		return err_set(e, ERR_CONFLICT, "NO_PASSWORD",
			       "this user logs in by a provider and has no password");
	if (make_password(call, password, hash, e) < 0 || db_begin(db, &tx, e) < 0 ||
	    replace(tx, &identity, hash, e) < 0 || db_commit(&tx, e) < 0)
		return -1;
	print_password(call, id, identity.name, password);
	explicit_bzero(password, sizeof(password));
	return 0;
}
