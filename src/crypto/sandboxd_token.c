#include "crypto/sandboxd_token.h"

#include <string.h>

#include <jansson.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "crypto/jwt.h"
#include "crypto/token.h"

/* The same strings are in runtime/sandboxd/token.c. */
#define KEY_CONTEXT "fullstack-agent sandboxd v1"
#define AUDIENCE    "sandboxd"
#define VISIT       "port "

char *sandboxd_token_make(const char *secret, const struct sandboxd_token *token)
{
	uint8_t key[TOKEN_HASH_BYTES];
	char id[TOKEN_LENGTH + 1];

	token_make(id);
	CLEANUP(cleanup_free)
	char *audience =
		token->host != NULL ? mem_printf(VISIT "%s", token->host) : mem_strdup(AUDIENCE);
	CLEANUP(json_decrefp)
	json_t *claims =
		json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:s}", "iss", token->issuer, "aud",
			  audience, "sub", token->subject, "scope", token->scope, "iat",
			  (json_int_t)token->issued, "exp", (json_int_t)token->expires, "jti", id);
	if (token->until != 0)
		json_object_set_new(claims, "until", json_integer((json_int_t)token->until));
	hmac_sha256(secret, strlen(secret), KEY_CONTEXT, strlen(KEY_CONTEXT), key);
	char *text = jwt_sign(claims, key);
	explicit_bzero(key, sizeof(key));
	return text;
}
