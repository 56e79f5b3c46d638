/* fsactl user invite: a link by which a person sets a password that nobody else sees. */
#include "ctl/user_invite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "crypto/token.h"
#include "ctl/administrator.h"
#include "ctl/output.h"
#include "domain/user.h"
#include "store/admin.h"
#include "store/invitation.h"

void invitation_clear(struct invitation *made)
{
	if (made->link != NULL)
		explicit_bzero(made->link, strlen(made->link));
	free(STEAL(made->link));
	free(STEAL(made->expires_at));
}

int invite(const struct call *call, struct db *tx, const char *user_id, const char *name,
	   struct invitation *ret_made, struct err *e)
{
	char token[TOKEN_LENGTH + 1];
	uint8_t hash[TOKEN_HASH_BYTES];
	unsigned days;

	if (call_number(call, OPTION_DAYS, INVITATION_DAYS_MAX, INVITATION_DAYS_DEFAULT, &days, e) <
	    0)
		return -1;
	token_make(token);
	token_hash(token, hash);
	if (invitation_put(tx, user_id, hash, days, &ret_made->expires_at, e) < 0)
		return -1;
	ret_made->link = invitation_link(conf_string(call->conf, CONF_PUBLIC_URL), name, token);
	explicit_bzero(token, sizeof(token));
	return 0;
}

void invite_print(const struct call *call, const char *user_id, const char *name,
		  const struct invitation *made)
{
	CLEANUP(json_decrefp)
	json_t *shown = json_pack("{s:s, s:s, s:s, s:s}", "id", user_id, "name", name, "link",
				  made->link, "expiresAt", made->expires_at);

	if (output_json(call, shown))
		return;
	(void)printf("With this link, once and until %s, a password can be set and the user is "
		     "logged in:\n%s\nIt is shown only this once: send it to nobody else.\n",
		     made->expires_at, made->link);
}

static int withdraw(const struct call *call, struct db *db, const char *user_id, struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	CLEANUP(json_decrefp) json_t *done = NULL;
	bool was_there;

	if (db_begin(db, &tx, e) < 0 || invitation_withdraw(tx, user_id, &was_there, e) < 0 ||
	    administrator_note(tx, "admin.user.withdraw", "user", user_id, e) < 0 ||
	    db_commit(&tx, e) < 0)
		return -1;
	done = json_pack("{s:s, s:b}", "id", user_id, "withdrawn", was_there);
	if (!output_json(call, done))
		(void)puts(was_there ? "the link is not valid any more" : "there was no link");
	return 0;
}

/* Makes a link for an existing user: until it is used, the old password stays valid. */
static int invite_again(const struct call *call, struct db *db, const char *user_id, struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	CLEANUP(invitation_clear) struct invitation made = { 0 };
	struct password_identity identity;

	if (user_get_password(db, user_id, &identity, e) < 0)
		return -1;
	if (!identity.found)
		return err_set(e, ERR_CONFLICT, "NO_PASSWORD",
			       "this user logs in by a provider and has no password");
	if (identity.disabled)
		return err_set(e, ERR_CONFLICT, "USER_DISABLED",
			       "this user is disabled: see fsactl user enable");
	if (db_begin(db, &tx, e) < 0 || invite(call, tx, user_id, identity.name, &made, e) < 0 ||
	    administrator_note(tx, "admin.user.invite", "user", user_id, e) < 0 ||
	    db_commit(&tx, e) < 0)
		return -1;
	invite_print(call, user_id, identity.name, &made);
	return 0;
}

int command_user_invite(const struct call *call, struct err *e)
{
	CLEANUP(db_freep) struct db *db = call_database(call);
	char id[STORE_ID_LENGTH + 1];
	bool only_withdraw = call->options[OPTION_WITHDRAW] != NULL;

	if (admin_find_user(db, call->arguments[0], id, e) == 0)
		return only_withdraw ? withdraw(call, db, id, e) : invite_again(call, db, id, e);
	if (only_withdraw || strcmp(e->code, "USER_NOT_FOUND") != 0)
		return -1;
	return command_user_create(call, e);
}
