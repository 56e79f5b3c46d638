#include "sandboxd/token.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <jansson.h>
#include <nettle/base64.h>
#include <nettle/hmac.h>
#include <nettle/memops.h>

#include "base/cleanup.h"
#include "base/mem.h"

/* The same strings are in src/crypto/sandboxd_token.c. */
#define KEY_CONTEXT "fullstack-agent sandboxd v1"
#define AUDIENCE    "sandboxd"
#define VISIT       "port " /* and the host: the audience of a token for one address */

enum { ID_BYTES = 16, SIGNATURE_LENGTH = 43 };

static const struct {
	enum scope scope;
	const char *name;
} scopes[] = {
	{ SCOPE_TERMINAL, "terminal" },     { SCOPE_EXEC, "exec" },
	{ SCOPE_FILES_READ, "files:read" }, { SCOPE_FILES_WRITE, "files:write" },
	{ SCOPE_PORTS, "ports" },           { SCOPE_USAGE, "usage" },
};

static uint8_t key[SHA256_DIGEST_SIZE];
static uint8_t terminal_digest[SHA256_DIGEST_SIZE];

static void sign(const void *data, size_t length, const uint8_t *with, size_t with_length,
		 uint8_t *ret_mac)
{
	struct hmac_sha256_ctx hmac;

	hmac_sha256_set_key(&hmac, with_length, with);
	hmac_sha256_update(&hmac, length, data);
	hmac_sha256_digest(&hmac, SHA256_DIGEST_SIZE, ret_mac);
	explicit_bzero(&hmac, sizeof(hmac));
}

void token_init(const char *secret)
{
	CLEANUP(cleanup_free) char *credential = mem_printf("user:%s", secret);
	size_t length = strlen(credential);
	CLEANUP(cleanup_free) char *encoded = mem_calloc(BASE64_ENCODE_RAW_LENGTH(length) + 1, 1);

	sign(KEY_CONTEXT, strlen(KEY_CONTEXT), (const uint8_t *)secret, strlen(secret), key);
	base64_encode_raw(encoded, length, (const uint8_t *)credential);
	sign(encoded, strlen(encoded), key, sizeof(key), terminal_digest);
	explicit_bzero(credential, length);
	explicit_bzero(encoded, strlen(encoded));
}

/* Compares digests, so that the time reveals nothing about the secret. */
bool token_is_terminals(const char *given)
{
	uint8_t digest[SHA256_DIGEST_SIZE];

	sign(given, strlen(given), key, sizeof(key), digest);
	return memeql_sec(digest, terminal_digest, sizeof(digest)) != 0;
}

const char *scope_name(enum scope scope)
{
	for (size_t i = 0; i < ARRAY_SIZE(scopes); i++)
		if (scopes[i].scope == scope)
			return scopes[i].name;
	return NULL;
}

/* `ret` has room for BASE64_DECODE_LENGTH(length). */
static bool decode(const char *text, size_t length, uint8_t *ret, size_t *ret_length)
{
	struct base64_decode_ctx context;

	base64url_decode_init(&context);
	return base64_decode_update(&context, ret_length, ret, length, text) != 0;
}

static json_t *decode_json(const char *text, size_t length)
{
	uint8_t decoded[TOKEN_MAX];
	size_t decoded_length;

	if (length >= TOKEN_MAX || !decode(text, length, decoded, &decoded_length))
		return NULL;
	return json_loadb((const char *)decoded, decoded_length, JSON_REJECT_DUPLICATES, NULL);
}

static bool is_hs256(const char *header, size_t length)
{
	json_t *json = decode_json(header, length);
	const char *algorithm = json_string_value(json_object_get(json, "alg"));
	bool is = algorithm != NULL && strcmp(algorithm, "HS256") == 0;

	json_decref(json);
	return is;
}

static bool has_signature(const char *token, const char *dot)
{
	uint8_t expected[SHA256_DIGEST_SIZE], given[BASE64_DECODE_LENGTH(64)];
	size_t length, encoded = strlen(dot + 1);

	sign(token, (size_t)(dot - token), key, sizeof(key), expected);
	return encoded == SIGNATURE_LENGTH && decode(dot + 1, encoded, given, &length) &&
	       length == sizeof(expected) && memeql_sec(given, expected, length) != 0;
}

static unsigned parse_scopes(const char *list)
{
	unsigned found = 0;

	for (const char *word = list; *word != '\0'; word += strcspn(word, " ")) {
		word += strspn(word, " ");
		size_t length = strcspn(word, " ");
		for (size_t i = 0; i < ARRAY_SIZE(scopes); i++)
			if (strlen(scopes[i].name) == length &&
			    strncmp(scopes[i].name, word, length) == 0)
				found |= scopes[i].scope;
	}
	return found;
}

static int read_claims(const json_t *claims, const char *for_whom, int64_t now, struct grant *ret,
		       struct err *e)
{
	const char *audience = json_string_value(json_object_get(claims, "aud"));
	const char *issuer = json_string_value(json_object_get(claims, "iss"));
	const char *id = json_string_value(json_object_get(claims, "jti"));
	const char *scope = json_string_value(json_object_get(claims, "scope"));
	const json_t *expires = json_object_get(claims, "exp");

	if (audience == NULL || strcmp(audience, for_whom) != 0 || scope == NULL ||
	    !json_is_integer(expires))
		return err_set(e, ERR_UNAUTHENTICATED, "UNAUTHORIZED",
			       "the token is not one for this address");
	if (json_integer_value(expires) <= now)
		return err_set(e, ERR_UNAUTHENTICATED, "UNAUTHORIZED",
			       "the token has expired: make another one at the site");
	ret->expires = json_integer_value(expires);
	ret->until = json_integer_value(json_object_get(claims, "until"));
	ret->scopes = parse_scopes(scope);
	*ret->id = *ret->issuer = '\0';
	if (id != NULL && strlen(id) < TOKEN_ID_MAX)
		memcpy(ret->id, id, strlen(id) + 1);
	if (issuer != NULL && strlen(issuer) < ISSUER_MAX)
		memcpy(ret->issuer, issuer, strlen(issuer) + 1);
	return 0;
}

static int check(const char *token, const char *for_whom, int64_t now, struct grant *ret_grant,
		 struct err *e)
{
	const char *first = strchr(token, '.'), *last = strrchr(token, '.');

	if (strlen(token) > TOKEN_MAX || first == NULL || first == last ||
	    !is_hs256(token, (size_t)(first - token)) || !has_signature(token, last))
		return err_set(
			e, ERR_UNAUTHENTICATED, "UNAUTHORIZED",
			"the token is wrong, or was withdrawn: make another one at the site");
	json_t *claims = decode_json(first + 1, (size_t)(last - first - 1));
	int result = read_claims(claims, for_whom, now, ret_grant, e);
	json_decref(claims);
	return result;
}

int token_check(const char *token, int64_t now, struct grant *ret_grant, struct err *e)
{
	return check(token, AUDIENCE, now, ret_grant, e);
}

/* ---- tokens for the address of a port -------------------------------------------------------- */

int token_check_visit(const char *token, const char *host, int64_t now, struct grant *ret_grant,
		      struct err *e)
{
	CLEANUP(cleanup_free) char *audience = mem_printf(VISIT "%s", host);

	return check(token, audience, now, ret_grant, e);
}

static char *encode(const void *data, size_t length)
{
	struct base64_encode_ctx context;
	char *text = mem_calloc(BASE64_ENCODE_LENGTH(length) + BASE64_ENCODE_FINAL_LENGTH + 1, 1);

	base64url_encode_init(&context);
	size_t done = base64_encode_update(&context, text, length, data);
	base64_encode_final(&context, text + done);
	text[strcspn(text, "=")] = '\0';
	return text;
}

static char *encode_json(json_t *json)
{
	CLEANUP(cleanup_free) char *text = json_dumps(json, JSON_COMPACT);

	json_decref(json);
	return encode(text, strlen(text));
}

char *token_make_visit(const char *host, int64_t expires)
{
	CLEANUP(cleanup_free) char *audience = mem_printf(VISIT "%s", host);
	uint8_t random[ID_BYTES] = { 0 }, mac[SHA256_DIGEST_SIZE];

	/* An id is for counting connections, and no secret. */
	(void)!getrandom(random, sizeof(random), 0);
	CLEANUP(cleanup_free) char *id = encode(random, sizeof(random));
	CLEANUP(cleanup_free)
	char *header = encode_json(json_pack("{s:s, s:s}", "alg", "HS256", "typ", "JWT"));
	CLEANUP(cleanup_free)
	char *claims = encode_json(json_pack("{s:s, s:s, s:I, s:s}", "aud", audience, "scope", "",
					     "exp", (json_int_t)expires, "jti", id));
	CLEANUP(cleanup_free) char *signed_part = mem_printf("%s.%s", header, claims);
	sign(signed_part, strlen(signed_part), key, sizeof(key), mac);
	CLEANUP(cleanup_free) char *signature = encode(mac, sizeof(mac));
	return mem_printf("%s.%s", signed_part, signature);
}
