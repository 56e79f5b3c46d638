#include "crypto/jwt.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "crypto/token.h"

static char *encode_part(const void *data, size_t length)
{
	char *text = mem_calloc(
		sodium_base64_ENCODED_LEN(length, sodium_base64_VARIANT_URLSAFE_NO_PADDING), 1);

	return sodium_bin2base64(
		text, sodium_base64_ENCODED_LEN(length, sodium_base64_VARIANT_URLSAFE_NO_PADDING),
		data, length, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

char *jwt_sign(const json_t *claims, const uint8_t *key)
{
	static const char header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
	CLEANUP(cleanup_free) char *json = json_dumps(claims, JSON_COMPACT);
	CLEANUP(cleanup_free) char *first = encode_part(header, strlen(header));
	CLEANUP(cleanup_free) char *second = encode_part(json, strlen(json));
	CLEANUP(cleanup_free) char *text = mem_printf("%s.%s", first, second);
	uint8_t mac[TOKEN_HASH_BYTES];

	hmac_sha256(key, TOKEN_HASH_BYTES, text, strlen(text), mac);
	CLEANUP(cleanup_free) char *third = encode_part(mac, sizeof(mac));
	return mem_printf("%s.%s", text, third);
}
