/* Programs on machines without a browser get an API token (RFC 8628): they show a code, and
 * somebody who is logged in elsewhere types it into the console, sees what asks, and allows or
 * refuses it. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "auth.h"
#include "base/cleanup.h"
#include "crypto/token.h"
#include "store/api_token.h"
#include "store/device_login.h"
#include "web/json.h"
#include "web/router.h"

enum { TOKEN_DAYS = 90 };

/* As people type it: in any case, with or without the hyphen. */
enum { TYPED_CODE_MAX = DEVICE_CODE_LENGTH + 1 };
#define TYPED_CODE_PATTERN                                                                         \
	"^[B-DF-HJ-NP-TV-XZb-df-hj-np-tv-xz]{4}-?[B-DF-HJ-NP-TV-XZb-df-hj-np-tv-xz]{4}$"

#define FIELD_USER_CODE(n)                                                                         \
	{                                                                                          \
		.name = (n), .type = FIELD_STRING, .required = true, .min = DEVICE_CODE_LENGTH,    \
		.max = TYPED_CODE_MAX, .pattern = TYPED_CODE_PATTERN, .check = check_code          \
	}

static void read_code(const char *typed, char ret_code[DEVICE_CODE_LENGTH + 1])
{
	size_t length = 0;

	for (; *typed != '\0' && length < DEVICE_CODE_LENGTH; typed++) {
		if (*typed != '-')
			ret_code[length++] = (char)toupper((unsigned char)*typed);
	}
	ret_code[length] = '\0';
}

static int check_code(const char *typed, struct err *e)
{
	char code[DEVICE_CODE_LENGTH + 1];
	const char *hyphen = strchr(typed, '-');
	size_t letters = strlen(typed) - (hyphen != NULL);

	read_code(typed, code);
	if (letters != DEVICE_CODE_LENGTH || strspn(code, DEVICE_CODE_LETTERS) != letters ||
	    (hyphen != NULL && hyphen != typed + DEVICE_CODE_LENGTH / 2))
		return err_set(e, ERR_INVALID, "INVALID_CODE",
			       "is none: a code has eight letters, like BCDF-GHJK");
	return 0;
}

const struct field auth_device_fields[] = {
	FIELDS_TOKEN,
	FIELDS_END,
};
const struct field auth_device_token_fields[] = {
	{ .name = "deviceCode",
	  .type = FIELD_STRING,
	  .required = true,
	  .min = TOKEN_LENGTH,
	  .max = TOKEN_LENGTH },
	FIELDS_END,
};
const struct field auth_device_query[] = { FIELD_USER_CODE("code"), FIELDS_END };
const struct field auth_device_answer_fields[] = {
	FIELD_USER_CODE("userCode"),
	{ .name = "allow", .type = FIELD_BOOL, .required = true },
	{ .name = "password", .type = FIELD_STRING, .min = 1, .max = PASSWORD_MAX },
	FIELDS_END,
};

/* ---- the program ----------------------------------------------------------------------------- */

static void make_user_code(char ret_code[DEVICE_CODE_LENGTH + 1])
{
	static const char letters[] = DEVICE_CODE_LETTERS;

	for (size_t i = 0; i < DEVICE_CODE_LENGTH; i++)
		ret_code[i] = letters[token_random_u32() % strlen(letters)];
	ret_code[DEVICE_CODE_LENGTH] = '\0';
}

int auth_device_post(struct call *c, struct err *e)
{
	const char *scope = field_string(c->body, "scope");
	char secret[TOKEN_LENGTH + 1], code[DEVICE_CODE_LENGTH + 1], shown[TYPED_CODE_MAX + 1];
	uint8_t hash[TOKEN_HASH_BYTES];

	token_make(secret);
	token_hash(secret, hash);
	make_user_code(code);
	const struct device_login_new asking = {
		.device_hash = hash,
		.user_code = code,
		.name = field_string(c->body, "name"),
		.client = auth_client(c),
		.can_write = scope == NULL || strcmp(scope, "write") == 0,
	};
	if (device_login_create(c->db, &asking, e) < 0)
		return -1;
	(void)snprintf(shown, sizeof(shown), "%.4s-%s", code, code + 4);
	response_json(c->response, 200,
		      json_pack("{s:s, s:s, s:s, s:i, s:i}", "deviceCode", secret, "userCode",
				shown, "verificationPath", "/device", "expiresIn", DEVICE_LOGIN_S,
				"interval", DEVICE_POLL_S));
	explicit_bzero(secret, sizeof(secret));
	return 0;
}

/* The token is made only now, so it is nowhere before. */
static int collect(struct call *c, const uint8_t hash[TOKEN_HASH_BYTES], struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	CLEANUP(json_decrefp) json_t *made = NULL;
	struct device_login login;

	if (db_begin(c->db, &tx, e) < 0 || device_login_take(tx, hash, &login, e) < 0)
		return -1;
	c->db = tx;
	const struct auth_new_token wanted = { login.user_id, login.identity_id, login.name,
					       login.can_write, TOKEN_DAYS };
	if (auth_make_token(c, &wanted, &made, e) < 0 ||
	    call_audit(c, "token.create", login.user_id, login.identity_id, e) < 0)
		return -1;
	response_json(c->response, 200, STEAL(made));
	return db_commit(&tx, e);
}

int auth_device_token_post(struct call *c, struct err *e)
{
	uint8_t hash[TOKEN_HASH_BYTES];

	token_hash(field_string(c->body, "deviceCode"), hash);
	return device_login_poll(c->db, hash, e) < 0 ? -1 : collect(c, hash, e);
}

/* ---- the person ------------------------------------------------------------------------------ */

/* A code that nothing asks with counts as a failed login from that address, against guessing. */
int auth_device_get(struct call *c, struct err *e)
{
	const struct throttle_client client = auth_client(c);
	char code[DEVICE_CODE_LENGTH + 1];
	struct throttle throttle;
	json_t *asking;

	read_code(field_string(c->query, "code"), code);
	if (throttle_begin(c->db, NULL, &client, &throttle, e) < 0 ||
	    device_login_find(c->db, code, &asking, e) < 0)
		return -1;
	if (throttle_forgive(c->db, &throttle, e) < 0) {
		json_decref(asking);
		return -1;
	}
	response_json(c->response, 200, asking);
	return 0;
}

/* To allow it is to make a token: with the password, if the login is not recent. */
int auth_device_prepare(struct call *c, struct err *e)
{
	return field_bool(c->body, "allow", false) ? auth_tokens_prepare(c, e) : 0;
}

int auth_device_answer(struct call *c, struct err *e)
{
	char code[DEVICE_CODE_LENGTH + 1];

	read_code(field_string(c->body, "userCode"), code);
	if (device_login_answer(c->db, code, c->session_hash, field_bool(c->body, "allow", false),
				e) < 0)
		return -1;
	response_json(c->response, 200, json_pack("{s:b}", "success", 1));
	return 0;
}
