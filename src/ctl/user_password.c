/* fsactl user create, user password: access for people where the site accepts no registrations, or
 * who have forgotten their password. They get a link, or a password that a script gives. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "crypto/password.h"
#include "crypto/token.h"
#include "ctl/administrator.h"
#include "ctl/output.h"
#include "ctl/user_invite.h"
#include "domain/user.h"
#include "store/access.h"
#include "store/admin.h"
#include "store/user.h"

/* Reads one line, or up to the end. */
static int read_password(char ret_password[PASSWORD_MAX + 1], struct err *e)
{
	size_t length = fread(ret_password, 1, PASSWORD_MAX + 1, stdin);

	if (length > 0 && ret_password[length - 1] == '\n')
		length--;
	if (length == 0 || length > PASSWORD_MAX || memchr(ret_password, '\0', length) != NULL)
		return err_set(e, ERR_INVALID, "USAGE",
			       "--password-stdin: standard input is not one password of up to %d "
			       "bytes",
			       PASSWORD_MAX);
	ret_password[length] = '\0';
	return 0;
}

/* Hashes the given password or, if there is none, one that nobody knows. */
static int make_hash(const struct call *call, const char *name, char ret_hash[PASSWORD_HASH_MAX],
		     struct err *e)
{
	const struct password_params params = {
		.passes = conf_number(call->conf, CONF_PASSWORD_PASSES),
		.memory_bytes = (size_t)conf_number(call->conf, CONF_PASSWORD_MEMORY_KIB) * 1024,
	};
	char password[PASSWORD_MAX + 1];
	int result = 0;

	if (call->options[OPTION_PASSWORD_STDIN] == NULL)
		token_make(password);
	else if (read_password(password, e) < 0 || password_check_policy(password, name, e) < 0)
		result = -1;
	if (result == 0)
		result = password_hash(password, &params, ret_hash, e);
	explicit_bzero(password, sizeof(password));
	return result;
}

/* Hashes the password that a script gives; otherwise the user has none until they use the link. */
static int make_first_hash(const struct call *call, const char *name,
			   char ret_hash[PASSWORD_HASH_MAX], struct err *e)
{
	if (call->options[OPTION_PASSWORD_STDIN] != NULL)
		return make_hash(call, name, ret_hash, e);
	(void)snprintf(ret_hash, PASSWORD_HASH_MAX, "%s", PASSWORD_NONE);
	return 0;
}

/* Makes a link, unless a password was given. */
static int invite_unless_given(const struct call *call, struct db *tx, const char *user_id,
			       const char *name, struct invitation *made, struct err *e)
{
	if (call->options[OPTION_PASSWORD_STDIN] != NULL)
		return 0;
	return invite(call, tx, user_id, name, made, e);
}

static void print_done(const struct call *call, const char *user_id, const char *name,
		       const struct invitation *made)
{
	CLEANUP(json_decrefp) json_t *done = json_pack("{s:s, s:s}", "id", user_id, "name", name);

	if (made->link != NULL)
		invite_print(call, user_id, name, made);
	else if (!output_json(call, done))
		(void)printf("%s logs in with that password\n", name);
}

int command_user_create(const struct call *call, struct err *e)
{
	CLEANUP(db_freep) struct db *db = call_database(call);
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	CLEANUP(invitation_clear) struct invitation made = { 0 };
	const char *name = call->arguments[0];
	char hash[PASSWORD_HASH_MAX];
	char user_id[STORE_ID_LENGTH + 1], identity_id[STORE_ID_LENGTH + 1];

	if (user_name_check(name, e) < 0 || make_first_hash(call, name, hash, e) < 0 ||
	    db_begin(db, &tx, e) < 0 ||
	    user_register(tx, name, hash, user_id, identity_id, e) < 0 ||
	    invite_unless_given(call, tx, user_id, name, &made, e) < 0 ||
	    administrator_note(tx, "admin.user.create", "user", user_id, e) < 0 ||
	    db_commit(&tx, e) < 0)
		return -1;
	print_done(call, user_id, name, &made);
	return 0;
}

/* Sets a new password, and ends all access that the old one has given. */
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
	CLEANUP(invitation_clear) struct invitation made = { 0 };
	struct password_identity identity;
	char hash[PASSWORD_HASH_MAX];
	char id[STORE_ID_LENGTH + 1];

	if (admin_find_user(db, call->arguments[0], id, e) < 0 ||
	    user_get_password(db, id, &identity, e) < 0)
		return -1;
	if (!identity.found)
		return err_set(e, ERR_CONFLICT, "NO_PASSWORD",
			       "this user logs in by a provider and has no password");
	if (make_hash(call, identity.name, hash, e) < 0 || db_begin(db, &tx, e) < 0 ||
	    replace(tx, &identity, hash, e) < 0 ||
	    invite_unless_given(call, tx, id, identity.name, &made, e) < 0 || db_commit(&tx, e) < 0)
		return -1;
	print_done(call, id, identity.name, &made);
	return 0;
}
