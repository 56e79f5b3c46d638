/* Tokens. An input that begins with '!' is a header and claims, one per line, which are signed here
 * to reach the code behind the signature; any other is a token, which must not be accepted, as
 * nobody can have made a valid one. */
#include <sodium.h>

#include "crypto/jwt.h"
#include "fuzz.h"

static const uint8_t secret[crypto_auth_hmacsha256_KEYBYTES] = "a secret that nobody else knows";
static const struct jwt_key keys[] = {
	{ JWT_HS256, secret, sizeof(secret) },
	/* Algorithm confusion: a public key is no secret. */
	{ JWT_RS256, "-----BEGIN PUBLIC KEY-----\n", 27 },
	{ JWT_ES256, secret, sizeof(secret) },
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	crypto_init();
	return 0;
}

static char *encode(const void *data, size_t length)
{
	size_t room = sodium_base64_encoded_len(length, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	char *text = mem_calloc(room, 1);

	return sodium_bin2base64(text, room, data, length,
				 sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

static char *sign(char *header)
{
	uint8_t mac[crypto_auth_hmacsha256_BYTES];
	char *claims = header;

	(void)strsep(&claims, "\n");
	CLEANUP(cleanup_free) char *first = encode(header, strlen(header));
	CLEANUP(cleanup_free)
	char *second = encode(claims ? claims : "", claims ? strlen(claims) : 0);
	CLEANUP(cleanup_free) char *signed_text = mem_printf("%s.%s", first, second);
	crypto_auth_hmacsha256(mac, (const uint8_t *)signed_text, strlen(signed_text), secret);
	CLEANUP(cleanup_free) char *third = encode(mac, sizeof(mac));
	return mem_printf("%s.%s", signed_text, third);
}

static void check_claims(const char *token, json_t *claims)
{
	CLEANUP(json_decrefp) json_t *header = NULL;
	const char *text = NULL;
	struct err e = { 0 };

	insist(jwt_read_header(token, &header, &e) == 0);
	insist(strcmp(json_string_value(json_object_get(header, "alg")), "HS256") == 0);
	insist(json_object_get(header, "crit") == NULL && json_is_object(claims));
	if (jwt_check_times(claims, 1700000000, &e) < 0)
		insist_told(&e, ERR_UNAUTHENTICATED);
	else
		insist(json_integer_value(json_object_get(claims, "exp")) > 1700000000);
	if (jwt_text(claims, "sub", 16, &text, &e) == 0)
		insist(strlen(text) >= 1 && strlen(text) <= 16);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(cleanup_free) char *text = text_of(data, size);
	bool ours = text[0] == '!';
	CLEANUP(cleanup_free) char *token = ours ? sign(text + 1) : mem_strdup(text);

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		CLEANUP(json_decrefp) json_t *claims = NULL;
		struct err e = { 0 };
		if (jwt_read_claims(token, &keys[i], &claims, &e) < 0) {
			insist_told(&e, ERR_UNAUTHENTICATED);
			insist(claims == NULL);
			continue;
		}
		insist(ours && keys[i].algorithm == JWT_HS256);
		check_claims(token, claims);
	}
	return 0;
}
