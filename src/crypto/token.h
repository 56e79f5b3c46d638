#ifndef FSA_CRYPTO_TOKEN_H
#define FSA_CRYPTO_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Random names and tokens from the kernel's CSPRNG, and hashes. crypto_init() first. */

enum {
	TOKEN_BYTES = 32,
	TOKEN_LENGTH = 43, /* of its base64url form without padding */
	TOKEN_HASH_BYTES = 32,
	API_TOKEN_LENGTH = 4 + TOKEN_LENGTH,
	TERMINAL_TOKEN_LENGTH = 24,
};

/* libsodium's start; ends the process when there is no entropy source. Call once in main. */
void crypto_init(void);

/* 256 random bits as base64url, for session ids. */
void token_make(char ret_token[TOKEN_LENGTH + 1]);
/* The same after API_TOKEN_PREFIX, by which people and secret scanners know an API token. */
#define API_TOKEN_PREFIX "fsa_"
void token_make_api(char ret_token[API_TOKEN_LENGTH + 1]);
/* SHA-256 of a token: what is stored of it. */
void token_hash(const char *token, uint8_t ret_hash[TOKEN_HASH_BYTES]);
/* The same as base64url without padding: PKCE's challenge for a verifier (RFC 7636, "S256"). */
void token_challenge(const char *token, char ret_challenge[TOKEN_LENGTH + 1]);

/* `length` random letters and digits, A-Za-z0-9; `ret_text` has room for length + 1. */
void token_alphanumeric(char *ret_text, size_t length);
uint32_t token_random_u32(void);
/* The token of the terminal that has this secret, after `generation` withdrawals; 0: the secret
 * itself. False if the secret is not TERMINAL_TOKEN_LENGTH long. Nothing follows from one token
 * about the next: that takes the secret. */
bool token_of_terminal(const char *secret, size_t length, int64_t generation,
		       char ret_token[TERMINAL_TOKEN_LENGTH + 1]);

/* HMAC-SHA256 with a key of any length. */
void hmac_sha256(const void *key, size_t key_length, const void *data, size_t length,
		 uint8_t ret_mac[TOKEN_HASH_BYTES]);
/* SHA-256 as 64 lower-case hex digits. */
void sha256_hex(const void *data, size_t length, char ret_hex[65]);
/* Standard base64 with padding. The caller frees. */
char *base64_encode(const void *data, size_t length);

enum base64_form {
	BASE64_STANDARD, /* RFC 4648 section 4, padded; blanks and line ends are skipped */
	BASE64_URL,      /* section 5, without padding, nothing skipped: the parts of a JWT */
};
/* Appends what `length` characters stand for; false, and nothing appended, if they are not base64
 * of that form or do not fit. */
bool base64_decode(enum base64_form form, const char *text, size_t length, struct buf *ret_data);

#endif
