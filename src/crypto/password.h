#ifndef FSA_CRYPTO_PASSWORD_H
#define FSA_CRYPTO_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* Passwords: Argon2id (RFC 9106) by libsodium, in its self-describing string form. Imported users
 * may have bcrypt hashes (crypt(5), "$2b$10$…"): these are checked but never created, and need a
 * rehash. */

enum { PASSWORD_HASH_MAX = 128, PASSWORD_MIN = 8, PASSWORD_MAX = 1024 };

struct password_params {
	unsigned long long passes;
	size_t memory_bytes;
};

/* 8 to 1,024 bytes of UTF-8, not one of the commonest, not the user's name. ERR_INVALID with code
 * WEAK_PASSWORD says why. */
int password_check_policy(const char *password, const char *user_name, struct err *e);

int password_hash(const char *password, const struct password_params *params,
		  char ret_hash[PASSWORD_HASH_MAX], struct err *e);
/* In place of the hash of somebody who was invited and has set no password yet. */
#define PASSWORD_NONE "!"
/* Whether the password is the one that was hashed. `hash` NULL (no such user) or PASSWORD_NONE:
 * false after the same work as for one of today's parameters; hashes that are older, or come from
 * elsewhere, take another time until their owner logs in. */
bool password_verify(const char *hash, const char *password, const struct password_params *params);
/* Whether an imported hash is bcrypt's, with a cost (4 to 14) that is acceptable at a login. */
bool password_is_bcrypt(const char *hash);
/* Whether `hash` was made with other parameters, or another algorithm. */
bool password_needs_rehash(const char *hash, const struct password_params *params);

#endif
