#include "crypto/jwks.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "crypto/token.h"

enum {
	RSA_BITS_MIN = 2048,
	RSA_BITS_MAX = 8192,
	RSA_EXPONENT_BYTES_MAX = 8,
	P256_BYTES = 32,
	UNCOMPRESSED = 4, /* SEC 1, section 2.3.3 */
	NUMBER_MAX = RSA_BITS_MAX / 8,
};

static void free_bio(BIO **bio)
{
	BIO_free(*bio);
}

static void free_number(BIGNUM **number)
{
	BN_free(*number);
}

static void free_builder(OSSL_PARAM_BLD **builder)
{
	OSSL_PARAM_BLD_free(*builder);
}

static void free_params(OSSL_PARAM **params)
{
	OSSL_PARAM_free(*params);
}

static void free_context(EVP_PKEY_CTX **context)
{
	EVP_PKEY_CTX_free(*context);
}

static void free_key(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

static const char *text_of(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

/* Decodes a member in base64url, of at most `b->max` bytes. */
static bool read_bytes(const json_t *jwk, const char *name, struct buf *b)
{
	const char *text = text_of(jwk, name);

	return text != NULL && strlen(text) <= 2 * b->max &&
	       base64_decode(BASE64_URL, text, strlen(text), b) && b->length > 0;
}

static BIGNUM *read_number(const json_t *jwk, const char *name, size_t max)
{
	CLEANUP(buf_release) struct buf bytes = BUF_INIT(max);

	if (!read_bytes(jwk, name, &bytes))
		return NULL;
	return BN_bin2bn((const unsigned char *)bytes.data, (int)bytes.length, NULL);
}

/* Makes a public key, which OpenSSL checks; returns NULL if it is invalid. */
static EVP_PKEY *make_key(const char *type, OSSL_PARAM_BLD *builder)
{
	CLEANUP(free_params) OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
	CLEANUP(free_context) EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	CLEANUP(free_key) EVP_PKEY *key = NULL;

	if (params == NULL || context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
	    EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		return NULL;
	CLEANUP(free_context) EVP_PKEY_CTX *check = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	return check != NULL && EVP_PKEY_public_check(check) == 1 ? STEAL(key) : NULL;
}

static EVP_PKEY *make_rsa(const json_t *jwk)
{
	CLEANUP(free_number) BIGNUM *n = read_number(jwk, "n", NUMBER_MAX);
	CLEANUP(free_number) BIGNUM *e = read_number(jwk, "e", RSA_EXPONENT_BYTES_MAX);
	CLEANUP(free_builder) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();

	if (n == NULL || e == NULL || BN_num_bits(n) < RSA_BITS_MIN || !BN_is_odd(e) ||
	    BN_is_one(e) || builder == NULL ||
	    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
	    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) != 1)
		return NULL;
	return make_key("RSA", builder);
}

static EVP_PKEY *make_p256(const json_t *jwk)
{
	static char group[] = "P-256";
	CLEANUP(buf_release) struct buf x = BUF_INIT(P256_BYTES), y = BUF_INIT(P256_BYTES);
	CLEANUP(free_builder) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	unsigned char point[1 + 2 * P256_BYTES] = { UNCOMPRESSED };
	const char *curve = text_of(jwk, "crv");

	if (curve == NULL || strcmp(curve, group) != 0 || !read_bytes(jwk, "x", &x) ||
	    !read_bytes(jwk, "y", &y) || x.length != P256_BYTES || y.length != P256_BYTES)
		return NULL;
	memcpy(point + 1, x.data, P256_BYTES);
	memcpy(point + 1 + P256_BYTES, y.data, P256_BYTES);
	if (builder == NULL ||
	    OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, group, 0) != 1 ||
	    OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point,
					     sizeof(point)) != 1)
		return NULL;
	return make_key("EC", builder);
}

static const struct kind {
	enum jwt_algorithm algorithm;
	const char *name, *key_type;
	EVP_PKEY *(*make)(const json_t *jwk);
} kinds[] = {
	{ JWT_RS256, "RS256", "RSA", make_rsa },
	{ JWT_ES256, "ES256", "EC", make_p256 },
};

static const struct kind *kind_of(const json_t *header)
{
	const char *algorithm = text_of(header, "alg");

	for (size_t i = 0; algorithm != NULL && i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(kinds[i].name, algorithm) == 0)
			return &kinds[i];
	}
	return NULL;
}

/* Whether an optional member has another value than the requested one. */
static bool differs(const json_t *jwk, const char *name, const char *value)
{
	const json_t *member = json_object_get(jwk, name);

	return member != NULL &&
	       (!json_is_string(member) || strcmp(json_string_value(member), value) != 0);
}

static bool is_for(const json_t *jwk, const struct kind *kind, const char *id)
{
	const char *type = text_of(jwk, "kty");
	const char *own_id = text_of(jwk, "kid");

	if (type == NULL || strcmp(type, kind->key_type) != 0 || differs(jwk, "use", "sig") ||
	    differs(jwk, "alg", kind->name))
		return false;
	return id == NULL || (own_id != NULL && strcmp(own_id, id) == 0);
}

static char *pem_of(EVP_PKEY *key)
{
	CLEANUP(free_bio) BIO *out = BIO_new(BIO_s_mem());
	char *data = NULL;

	if (out == NULL || PEM_write_bio_PUBKEY(out, key) != 1)
		return NULL;
	long length = BIO_get_mem_data(out, &data);
	return mem_strndup(data, (size_t)length);
}

static int refuse(struct err *e, const char *why)
{
	ERR_clear_error();
	err_set(e, ERR_UNAUTHENTICATED, "INVALID_TOKEN", "The token is refused: %s", why);
	return -1;
}

int jwks_find(const json_t *jwks, const json_t *header, enum jwt_algorithm *ret_algorithm,
	      char **ret_pem, struct err *e)
{
	const json_t *keys = json_object_get(jwks, "keys"), *found = NULL, *jwk;
	const struct kind *kind = kind_of(header);
	const char *id = text_of(header, "kid");
	size_t index;

	if (kind == NULL)
		return refuse(e, "it is signed neither by RS256 nor by ES256");
	if (json_array_size(keys) > JWKS_KEYS_MAX)
		return refuse(e, "its issuer publishes too many keys");
	json_array_foreach(keys, index, jwk)
	{
		if (!is_for(jwk, kind, id))
			continue;
		if (found != NULL)
			return refuse(e,
				      "its issuer has several keys that it might be signed with");
		found = jwk;
	}
	CLEANUP(free_key) EVP_PKEY *key = found != NULL ? kind->make(found) : NULL;
	char *pem = key != NULL ? pem_of(key) : NULL;
	if (pem == NULL)
		return refuse(e, "its issuer publishes no usable key for it");
	*ret_algorithm = kind->algorithm;
	*ret_pem = pem;
	return 0;
}
