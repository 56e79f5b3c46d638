#include "crypto/password.h"

#include <crypt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sodium.h>

#include "base/mem.h"
#include "base/parse.h"
#include "crypto/common_passwords.h"

_Static_assert((int)PASSWORD_HASH_MAX >= (int)crypto_pwhash_STRBYTES, "a hash fits");

static int weak(struct err *e, const char *why)
{
	return err_set(e, ERR_INVALID, "WEAK_PASSWORD", "the password %s", why);
}

int password_check_policy(const char *password, const char *user_name, struct err *e)
{
	size_t length = strlen(password);

	if (length < PASSWORD_MIN)
		return weak(e, "is too short: it needs 8 characters at least");
	if (length > PASSWORD_MAX)
		return weak(e, "is too long: 1,024 bytes at most");
	if (!parse_is_utf8(password, length))
		return weak(e, "is not valid UTF-8");
	if (user_name != NULL && strcasecmp(password, user_name) == 0)
		return weak(e, "is the user's name");
	if (strspn(password, (const char[]) { password[0], '\0' }) == length)
		return weak(e, "is one character repeated");
	if (common_passwords_contain(password))
		return weak(e, "is one of the commonest and would be guessed at once");
	return 0;
}

int password_hash(const char *password, const struct password_params *params,
		  char ret_hash[PASSWORD_HASH_MAX], struct err *e)
{
	if (crypto_pwhash_str_alg(ret_hash, password, strlen(password), params->passes,
				  params->memory_bytes, crypto_pwhash_ALG_ARGON2ID13) != 0)
		return err_set(e, ERR_INTERNAL, NULL,
			       "cannot hash a password with %zu bytes of memory and %llu passes",
			       params->memory_bytes, params->passes);
	return 0;
}

/* A hash that no password has, as costly to check as a real one: salt and digest are random. It is
 * put together rather than computed, so that the first unknown user of a process does not take
 * twice as long as later ones. Its form is that of RFC 9106's reference implementation, which
 * libsodium reads. */
static void impossible_hash(const struct password_params *params, char ret_hash[PASSWORD_HASH_MAX])
{
	uint8_t random[16 + 32];
	char salt[23], digest[44];

	randombytes_buf(random, sizeof(random));
	sodium_bin2base64(salt, sizeof(salt), random, 16,
			  sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
	sodium_bin2base64(digest, sizeof(digest), random + 16, 32,
			  sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
	(void)snprintf(ret_hash, PASSWORD_HASH_MAX, "$argon2id$v=19$m=%zu,t=%llu,p=1$%s$%s",
		       params->memory_bytes / 1024, params->passes, salt, digest);
}

bool password_is_bcrypt(const char *hash)
{
	static const char alphabet[] = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				       "0123456789";
	enum { PREFIX = 7, LENGTH = 60, COST_MIN = 4, COST_MAX = 14 };
	uint64_t cost;

	if (strlen(hash) != LENGTH || strncmp(hash, "$2", 2) != 0 || strchr("aby", hash[2]) == NULL)
		return false;
	const char digits[] = { hash[4], hash[5], '\0' };
	return hash[3] == '$' && hash[6] == '$' && parse_u64(digits, COST_MIN, COST_MAX, &cost) &&
	       strspn(hash + PREFIX, alphabet) == LENGTH - PREFIX;
}

static bool verify_bcrypt(const char *hash, const char *password)
{
	struct crypt_data *data = mem_calloc(1, sizeof(*data)); /* 32 KiB */
	const char *made = crypt_r(password, hash, data);
	bool same = made != NULL && strlen(made) == strlen(hash) &&
		    sodium_memcmp(made, hash, strlen(hash)) == 0;

	explicit_bzero(data, sizeof(*data));
	free(data);
	return same;
}

bool password_verify(const char *hash, const char *password, const struct password_params *params)
{
	char impossible[PASSWORD_HASH_MAX];

	bool is_one = hash != NULL && strcmp(hash, PASSWORD_NONE) != 0;

	if (is_one && password_is_bcrypt(hash))
		return verify_bcrypt(hash, password);
	if (!is_one)
		impossible_hash(params, impossible);
	bool same = crypto_pwhash_str_verify(is_one ? hash : impossible, password,
					     strlen(password)) == 0;
	return is_one && same;
}

bool password_needs_rehash(const char *hash, const struct password_params *params)
{
	return crypto_pwhash_str_needs_rehash(hash, params->passes, params->memory_bytes) != 0;
}
