#ifndef TESTS_FUZZ_SANDBOXD_H
#define TESTS_FUZZ_SANDBOXD_H

#include <nettle/base64.h>
#include <nettle/hmac.h>

#include "fuzz.h"

/* Tokens of a sandbox with the secret SECRET, in the form in which the site makes them. */
#define SECRET "a secret that nobody else knows"

static inline char *encode(const void *data, size_t length)
{
	char *text = mem_calloc(BASE64_ENCODE_RAW_LENGTH(length) + 1, 1);

	base64_encode_raw(text, length, data);
	for (char *at = text; *at != '\0'; at++)
		*at = (char)(*at == '+' ? '-' : *at == '/' ? '_' : *at == '=' ? '\0' : *at);
	return text;
}

static inline void mac_of(const void *key, size_t key_length, const char *text, uint8_t *ret_mac)
{
	struct hmac_sha256_ctx hmac;

	hmac_sha256_set_key(&hmac, key_length, key);
	hmac_sha256_update(&hmac, strlen(text), (const uint8_t *)text);
	hmac_sha256_digest(&hmac, SHA256_DIGEST_SIZE, ret_mac);
}

/* The caller frees. */
static inline char *sign_token(const char *header, const char *claims)
{
	uint8_t key[SHA256_DIGEST_SIZE], mac[SHA256_DIGEST_SIZE];
	CLEANUP(cleanup_free) char *first = encode(header, strlen(header));
	CLEANUP(cleanup_free) char *second = encode(claims, strlen(claims));
	CLEANUP(cleanup_free) char *text = mem_printf("%s.%s", first, second);

	mac_of(SECRET, strlen(SECRET), "fullstack-agent sandboxd v1", key);
	mac_of(key, sizeof(key), text, mac);
	CLEANUP(cleanup_free) char *third = encode(mac, sizeof(mac));
	return mem_printf("%s.%s", text, third);
}

#endif
