#include "crypto/jwt.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include <jwt.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "crypto/token.h"

#define YEAR_9999 INT64_C(253402300799)

/* The name in RFC 7518, section 3.1, and libjwt's constant. */
static const struct {
	const char *name;
	jwt_alg_t libjwt;
} algorithms[] = {
	[JWT_HS256] = { "HS256", JWT_ALG_HS256 },
	[JWT_RS256] = { "RS256", JWT_ALG_RS256 },
	[JWT_ES256] = { "ES256", JWT_ALG_ES256 },
};

/* The three parts of a token, which dots separate. */
struct parts {
	const char *header, *claims;
	size_t header_length, claims_length;
};

static int refuse(struct err *e, const char *why)
{
	err_set(e, ERR_UNAUTHENTICATED, "INVALID_TOKEN", "The token is refused: %s", why);
	return -1;
}

static void free_jwt(jwt_t **jwt)
{
	jwt_free(*jwt);
}

static int split(const char *token, struct parts *ret_parts, struct err *e)
{
	size_t length = strlen(token);
	const char *first = strchr(token, '.');
	const char *second = first ? strchr(first + 1, '.') : NULL;

	if (length > JWT_MAX_BYTES)
		return refuse(e, "it is too long");
	if (second == NULL || strchr(second + 1, '.') != NULL)
		return refuse(e, "it does not have three parts");
	*ret_parts = (struct parts) {
		.header = token,
		.header_length = (size_t)(first - token),
		.claims = first + 1,
		.claims_length = (size_t)(second - first - 1),
	};
	return 0;
}

/* Decodes one part: base64url without padding, of a JSON object without duplicate members. */
static int read_object(const char *text, size_t length, json_t **ret_object, struct err *e)
{
	CLEANUP(buf_wipe) struct buf bytes = BUF_INIT(JWT_MAX_BYTES);
	CLEANUP(json_decrefp) json_t *read = NULL;

	if (!base64_decode(BASE64_URL, text, length, &bytes) || bytes.length == 0)
		return refuse(e, "a part of it is not base64url");
	read = json_loadb(bytes.data, bytes.length, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(read))
		return refuse(e, "a part of it is not a JSON object");
	*ret_object = STEAL(read);
	return 0;
}

int jwt_read_header(const char *token, json_t **ret_header, struct err *e)
{
	CLEANUP(json_decrefp) json_t *header = NULL;
	struct parts parts;

	if (split(token, &parts, e) < 0 ||
	    read_object(parts.header, parts.header_length, &header, e) < 0)
		return -1;
	if (json_object_get(header, "crit") != NULL || json_object_get(header, "b64") != NULL)
		return refuse(e, "it uses an extension that is not known here");
	*ret_header = STEAL(header);
	return 0;
}

static int check_algorithm(const char *token, enum jwt_algorithm algorithm, struct err *e)
{
	CLEANUP(json_decrefp) json_t *header = NULL;

	if (jwt_read_header(token, &header, e) < 0)
		return -1;
	const char *named = json_string_value(json_object_get(header, "alg"));
	if (named == NULL || strcmp(named, algorithms[algorithm].name) != 0)
		return refuse(e, "it is not signed in the way that is agreed");
	return 0;
}

static int check_signature(const char *token, const struct jwt_key *key, struct err *e)
{
	CLEANUP(free_jwt) jwt_t *decoded = NULL;

	if (key->length == 0 || key->length > INT_MAX)
		return err_set(e, ERR_INTERNAL, NULL, "a key for tokens is empty or too long");
	if (key->algorithm == JWT_HS256 && key->length < JWT_SECRET_MIN)
		return err_set(e, ERR_INTERNAL, NULL, "a secret for tokens is under %d bytes",
			       JWT_SECRET_MIN);
	/* Without a key, libjwt would check nothing. */
	int failed = jwt_decode(&decoded, token, key->bytes, (int)key->length);
	if (failed == ENOMEM)
		return err_set(e, ERR_INTERNAL, NULL, "libjwt: out of memory");
	if (failed != 0 || jwt_get_alg(decoded) != algorithms[key->algorithm].libjwt)
		return refuse(e, "its signature is wrong");
	return 0;
}

int jwt_read_claims(const char *token, const struct jwt_key *key, json_t **ret_claims,
		    struct err *e)
{
	struct parts parts;

	if (split(token, &parts, e) < 0 || check_algorithm(token, key->algorithm, e) < 0 ||
	    check_signature(token, key, e) < 0)
		return -1;
	return read_object(parts.claims, parts.claims_length, ret_claims, e);
}

/* `ret_time` is unchanged if the claim is missing. */
static int read_time(const json_t *claims, const char *name, int64_t *ret_time, struct err *e)
{
	const json_t *claim = json_object_get(claims, name);

	if (claim == NULL)
		return 0;
	if (!json_is_integer(claim) || json_integer_value(claim) < 0 ||
	    json_integer_value(claim) > YEAR_9999)
		return refuse(e, "one of its times is not a time");
	*ret_time = json_integer_value(claim);
	return 0;
}

int jwt_check_times(const json_t *claims, int64_t now, struct err *e)
{
	int64_t expires = -1, not_before = 0, issued = 0;

	if (read_time(claims, "exp", &expires, e) < 0 ||
	    read_time(claims, "nbf", &not_before, e) < 0 ||
	    read_time(claims, "iat", &issued, e) < 0)
		return -1;
	if (expires < 0)
		return refuse(e, "it does not say when it expires");
	if (expires <= now)
		return err_set(e, ERR_UNAUTHENTICATED, "EXPIRED_TOKEN", "The token has expired");
	if (not_before > now + JWT_CLOCK_SKEW_S || issued > now + JWT_CLOCK_SKEW_S)
		return refuse(e, "it is not valid yet");
	return 0;
}

static bool has_control_character(const char *text)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	}
	return false;
}

int jwt_text(const json_t *claims, const char *name, size_t max, const char **ret_text,
	     struct err *e)
{
	const json_t *claim = json_object_get(claims, name);
	const char *text = json_string_value(claim);
	size_t length = json_string_length(claim);

	if (text == NULL || length == 0 || length > max || has_control_character(text))
		return err_set(e, ERR_UNAUTHENTICATED, "INVALID_TOKEN",
			       "The token is refused: its %s is missing or not what it should be",
			       name);
	*ret_text = text;
	return 0;
}
