#include "auth.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "domain/user.h"
#include "base/mem.h"
#include "base/metric.h"
#include "store/access.h"
#include "store/maintenance.h"
#include "store/throttle.h"
#include "store/user.h"
#include "web/router.h"

const struct field auth_password_fields[] = {
	{ .name = "name",
	  .type = FIELD_STRING,
	  .required = true,
	  .min = 1,
	  .max = USER_NAME_MAX,
	  .pattern = "^[A-Za-z0-9][A-Za-z0-9._@-]*$",
	  .check = user_name_check },
	AUTH_FIELD_PASSWORD("password"),
	AUTH_FIELD_BEARER,
	FIELDS_END,
};

static void count_login(const char *result)
{
	metric_add(METRIC_LOGINS, 1, METRIC_LABELS("password", result));
}

/* Counts an attempt; without `name`, only for the address. */
static int begin_attempt(struct call *c, const char *name, struct throttle *ret_throttle,
			 struct err *e)
{
	const struct throttle_client client = auth_client(c);

	if (throttle_begin(c->db, name, &client, ret_throttle, e) == 0)
		return 0;
	if (e->kind == ERR_RATE_LIMITED)
		count_login("throttled");
	return -1;
}

/* Registers a user and logs them in. Hashing is slow on purpose, and done before the transaction,
 * so that no other transaction waits for it. */
static int register_user(struct call *c, const struct throttle *throttle, struct err *e)
{
	const struct auth *auth = c->context;
	const char *name = field_string(c->body, "name");
	const char *password = field_string(c->body, "password");
	char hash[PASSWORD_HASH_MAX];
	char user_id[STORE_ID_LENGTH + 1], identity_id[STORE_ID_LENGTH + 1];
	const struct throttle_client client = auth_client(c);
	CLEANUP(db_rollback_guard) struct db *tx = NULL;

	if (maintenance_begin_change(c->db, e) < 0)
		return -1;
	if (password_check_policy(password, name, e) < 0)
		return err_wrap(e, "password");
	if (throttle_registration(c->db, &client, e) < 0)
		return -1;
	if (password_hash(password, &auth->password, hash, e) < 0 || db_begin(c->db, &tx, e) < 0)
		return -1;
	if (throttle_forgive(tx, throttle, e) < 0 ||
	    user_register(tx, name, hash, user_id, identity_id, e) < 0 ||
	    login_finish(c, tx, user_id, identity_id, e) < 0 || db_commit(&tx, e) < 0)
		return -1;
	count_login("registered");
	return 0;
}

const struct field auth_password_change_fields[] = {
	AUTH_FIELD_PASSWORD("password"),
	AUTH_FIELD_PASSWORD("newPassword"),
	FIELDS_END,
};

int auth_register(struct call *c, struct err *e)
{
	const struct auth *auth = c->context;
	struct throttle throttle;

	if (!auth->registration_open)
		return err_set(e, ERR_FORBIDDEN, "REGISTRATION_CLOSED",
			       "This site does not take registrations; ask its administrator");
	if (begin_attempt(c, NULL, &throttle, e) < 0)
		return -1;
	return register_user(c, &throttle, e);
}

/* Replaces a hash that was made with outdated parameters while the password is known. */
static int renew_hash(struct db *db, const struct auth *auth, const struct password_identity *found,
		      const char *password, struct err *e)
{
	char hash[PASSWORD_HASH_MAX];

	if (!password_needs_rehash(found->hash, &auth->password))
		return 0;
	if (password_hash(password, &auth->password, hash, e) < 0)
		return -1;
	return user_replace_password_hash(db, found->identity_id, found->hash, hash, NULL, e);
}

/* Unknown names, wrong passwords and disabled users look the same and take the same time. The
 * account's owner, if there is one, sees the attempt in the audit. */
static int refuse(struct call *c, const struct password_identity *found, struct err *e)
{
	const char *user_id = found->found ? found->user_id : NULL;
	const char *identity_id = found->found ? found->identity_id : NULL;

	count_login("refused");
	(void)snprintf(c->object_id, sizeof(c->object_id), "password");
	if (call_audit(c, "login.refused", user_id, identity_id, e) < 0)
		return -1;
	return err_set(e, ERR_UNAUTHENTICATED, "INVALID_CREDENTIALS",
		       "The name or the password is wrong");
}

static int log_in(struct call *c, struct err *e)
{
	const struct auth *auth = c->context;
	const char *name = field_string(c->body, "name");
	const char *password = field_string(c->body, "password");
	struct password_identity found;
	struct throttle throttle;
	CLEANUP(db_rollback_guard) struct db *tx = NULL;

	if (begin_attempt(c, name, &throttle, e) < 0 ||
	    user_find_password(c->db, name, &found, e) < 0)
		return -1;
	if (!found.found && auth->registers_at_login)
		return register_user(c, &throttle, e);
	bool right = password_verify(found.found ? found.hash : NULL, password, &auth->password);
	if (!right || found.disabled)
		return refuse(c, &found, e);
	if (renew_hash(c->db, auth, &found, password, e) < 0 || db_begin(c->db, &tx, e) < 0)
		return -1;
	if (throttle_forgive(tx, &throttle, e) < 0 ||
	    login_finish(c, tx, found.user_id, found.identity_id, e) < 0 || db_commit(&tx, e) < 0)
		return -1;
	count_login("ok");
	return 0;
}

/* Of two first logins at once, the second finds the user that the first has registered. */
int auth_login(struct call *c, struct err *e)
{
	int result = log_in(c, e);

	return result < 0 && strcmp(e->code, "USER_EXISTS") == 0 ? log_in(c, e) : result;
}

/* Attempts are throttled, so that a stolen session cannot be used to guess the password. */
int auth_check_password(struct call *c, struct password_identity *ret_found,
			struct throttle *ret_throttle, struct err *e)
{
	const struct auth *auth = c->context;
	struct password_identity *found = ret_found;

	if (user_get_password(c->db, c->session->user_id, found, e) < 0)
		return -1;
	if (!found->found)
		return err_set(e, ERR_NOT_FOUND, "NO_PASSWORD",
			       "you have no password: you log in by another way");
	if (begin_attempt(c, found->name, ret_throttle, e) < 0)
		return -1;
	if (password_verify(found->hash, field_string(c->body, "password"), &auth->password))
		return 0;
	if (call_audit(c, "password.refused", found->user_id, c->session->identity_id, e) < 0)
		return -1;
	return err_set(e, ERR_FORBIDDEN, "WRONG_PASSWORD", "the present password is another one");
}

/* A change whose present password was right, with the hash of the new one. */
struct password_change {
	struct password_identity found;
	struct throttle throttle;
	char hash[PASSWORD_HASH_MAX];
};

int auth_password_prepare(struct call *c, struct err *e)
{
	const struct auth *auth = c->context;
	const char *password = field_string(c->body, "newPassword");
	struct password_change *change = mem_calloc(1, sizeof(*change));

	c->prepared = change;
	if (auth_check_password(c, &change->found, &change->throttle, e) < 0)
		return -1;
	if (password_check_policy(password, change->found.name, e) < 0)
		return err_wrap(e, "newPassword");
	return password_hash(password, &auth->password, change->hash, e);
}

int auth_replace_password(struct db *db, const struct password_identity *found, const char *hash,
			  const uint8_t *session_hash, struct access_ended *ret_ended,
			  struct err *e)
{
	bool replaced;

	if (user_replace_password_hash(db, found->identity_id, found->hash, hash, &replaced, e) < 0)
		return -1;
	if (!replaced)
		return err_set(e, ERR_CONFLICT, "PASSWORD_CHANGED",
			       "the password was changed at the same time by another request");
	return access_end_all(db, found->user_id, session_hash, ret_ended, e);
}

int auth_password_put(struct call *c, struct err *e)
{
	const struct password_change *change = c->prepared;
	struct access_ended ended;

	if (throttle_forgive(c->db, &change->throttle, e) < 0 ||
	    auth_replace_password(c->db, &change->found, change->hash, c->session_hash, &ended, e) <
		    0)
		return -1;
	response_json(c->response, 200, access_ended_json(&ended));
	return 0;
}
