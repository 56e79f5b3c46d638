#include "crypto/token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/mem.h"

static const char alphanumeric[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

_Static_assert(TOKEN_LENGTH + 1 ==
		       sodium_base64_ENCODED_LEN(TOKEN_BYTES,
						 sodium_base64_VARIANT_URLSAFE_NO_PADDING),
	       "TOKEN_LENGTH is the base64url length of TOKEN_BYTES");
_Static_assert(API_TOKEN_LENGTH == sizeof(API_TOKEN_PREFIX) - 1 + TOKEN_LENGTH,
	       "API_TOKEN_LENGTH is that of prefix and token");
_Static_assert((int)TOKEN_HASH_BYTES == (int)crypto_hash_sha256_BYTES, "token_hash() is SHA-256");

void crypto_init(void)
{
	if (sodium_init() < 0) {
		(void)fputs("level=error msg=\"libsodium cannot start: no source of randomness\"\n",
			    stderr);
		abort();
	}
}

void token_make(char ret_token[TOKEN_LENGTH + 1])
{
	uint8_t bytes[TOKEN_BYTES];

	randombytes_buf(bytes, sizeof(bytes));
	sodium_bin2base64(ret_token, TOKEN_LENGTH + 1, bytes, sizeof(bytes),
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	sodium_memzero(bytes, sizeof(bytes));
}

void token_make_api(char ret_token[API_TOKEN_LENGTH + 1])
{
	memcpy(ret_token, API_TOKEN_PREFIX, API_TOKEN_LENGTH - TOKEN_LENGTH);
	token_make(ret_token + API_TOKEN_LENGTH - TOKEN_LENGTH);
}

void token_hash(const char *token, uint8_t ret_hash[TOKEN_HASH_BYTES])
{
	crypto_hash_sha256(ret_hash, (const unsigned char *)token, strlen(token));
}

void token_challenge(const char *token, char ret_challenge[TOKEN_LENGTH + 1])
{
	uint8_t hash[TOKEN_HASH_BYTES];

	token_hash(token, hash);
	sodium_bin2base64(ret_challenge, TOKEN_LENGTH + 1, hash, sizeof(hash),
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

/* Draws `length` characters, without bias, from the first `count` of `alphabet`. */
static void draw(char *ret_text, size_t length, const char *alphabet, size_t count)
{
	for (size_t i = 0; i < length; i++)
		ret_text[i] = alphabet[randombytes_uniform((uint32_t)count)];
	ret_text[length] = '\0';
}

void token_alphanumeric(char *ret_text, size_t length)
{
	draw(ret_text, length, alphanumeric, sizeof(alphanumeric) - 1);
}

uint32_t token_random_u32(void)
{
	return randombytes_random();
}

bool token_of_terminal(const char *secret, size_t length, int64_t generation,
		       char ret_token[TERMINAL_TOKEN_LENGTH + 1])
{
	uint8_t drawn[2 * TERMINAL_TOKEN_LENGTH];
	char text[sizeof("terminal:") + 20];

	if (length != TERMINAL_TOKEN_LENGTH)
		return false;
	memcpy(ret_token, secret, length);
	ret_token[length] = '\0';
	if (generation == 0)
		return true;
	int text_length = snprintf(text, sizeof(text), "terminal:%lld", (long long)generation);
	(void)crypto_generichash(drawn, sizeof(drawn), (const uint8_t *)text,
				 (unsigned long long)text_length, (const uint8_t *)secret, length);
	for (size_t i = 0; i < TERMINAL_TOKEN_LENGTH; i++) {
		size_t number = (size_t)drawn[2 * i] << 8 | drawn[2 * i + 1];
		ret_token[i] = alphanumeric[number % (sizeof(alphanumeric) - 1)];
	}
	sodium_memzero(drawn, sizeof(drawn));
	return true;
}

void hmac_sha256(const void *key, size_t key_length, const void *data, size_t length,
		 uint8_t ret_mac[TOKEN_HASH_BYTES])
{
	crypto_auth_hmacsha256_state state;

	(void)crypto_auth_hmacsha256_init(&state, key, key_length);
	(void)crypto_auth_hmacsha256_update(&state, data, length);
	(void)crypto_auth_hmacsha256_final(&state, ret_mac);
	sodium_memzero(&state, sizeof(state));
}

void sha256_hex(const void *data, size_t length, char ret_hex[65])
{
	unsigned char hash[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(hash, data, length);
	sodium_bin2hex(ret_hex, 65, hash, sizeof(hash));
}

char *base64_encode(const void *data, size_t length)
{
	size_t room = sodium_base64_encoded_len(length, sodium_base64_VARIANT_ORIGINAL);
	char *text = mem_calloc(room, 1);

	return sodium_bin2base64(text, room, data, length, sodium_base64_VARIANT_ORIGINAL);
}

static const int base64_variants[] = {
	[BASE64_STANDARD] = sodium_base64_VARIANT_ORIGINAL,
	[BASE64_URL] = sodium_base64_VARIANT_URLSAFE_NO_PADDING,
};

bool base64_decode(enum base64_form form, const char *text, size_t length, struct buf *ret_data)
{
	size_t room = length / 4 * 3 + 3, got = 0;
	unsigned char *data = mem_calloc(room, 1);
	const char *ignored = form == BASE64_STANDARD ? " \t\r\n" : NULL;
	bool valid = sodium_base642bin(data, room, text, length, ignored, &got, NULL,
				       base64_variants[form]) == 0 &&
		     buf_append(ret_data, data, got, NULL) == 0;

	sodium_memzero(data, room);
	free(data);
	return valid;
}
