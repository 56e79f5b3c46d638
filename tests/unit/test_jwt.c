#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>
#include <jansson.h>
#include <jwt.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <sodium.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "crypto/jwks.h"
#include "crypto/jwt.h"
#include "crypto/token.h"

#define SECRET "0123456789abcdef0123456789abcdef"
#define HEADER "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define CLAIMS "{\"sub\":\"ada\",\"iat\":1000,\"exp\":2000}"
#define NOW    1500

static const struct jwt_key secret_key = { JWT_HS256, SECRET, sizeof(SECRET) - 1 };

static char *base64url(const void *data, size_t length)
{
	size_t room = sodium_base64_encoded_len(length, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	char *text = mem_calloc(room, 1);

	return sodium_bin2base64(text, room, data, length,
				 sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

/* Signs any header and claims with a valid HMAC. Not by libjwt, which would refuse to write most of
 * what attackers send. */
static char *sign(const char *header, const char *claims, const char *secret)
{
	CLEANUP(cleanup_free) char *head = base64url(header, strlen(header));
	CLEANUP(cleanup_free) char *body = base64url(claims, strlen(claims));
	CLEANUP(cleanup_free) char *text = mem_printf("%s.%s", head, body);
	unsigned char mac[crypto_auth_hmacsha256_BYTES];
	crypto_auth_hmacsha256_state state;

	crypto_auth_hmacsha256_init(&state, (const unsigned char *)secret, strlen(secret));
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)text, strlen(text));
	crypto_auth_hmacsha256_final(&state, mac);
	CLEANUP(cleanup_free) char *signature = base64url(mac, sizeof(mac));
	return mem_printf("%s.%s", text, signature);
}

/* Returns "" for a token that is accepted at NOW, otherwise the code of its refusal. */
static const char *verdict(const char *token, const struct jwt_key *key)
{
	static struct err e;
	json_t *claims = NULL;

	memset(&e, 0, sizeof(e));
	if (jwt_read_claims(token, key, &claims, &e) == 0) {
		ck_assert_ptr_nonnull(claims);
		(void)jwt_check_times(claims, NOW, &e);
		json_decref(claims);
	} else {
		ck_assert_ptr_null(claims);
	}
	if (e.code[0] != '\0' && e.kind != ERR_INTERNAL)
		ck_assert_int_eq(e.kind, ERR_UNAUTHENTICATED);
	return e.code;
}

static const char *verdict_on(const char *header, const char *claims)
{
	CLEANUP(cleanup_free) char *token = sign(header, claims, SECRET);

	return verdict(token, &secret_key);
}

START_TEST(a_token_that_was_signed_with_the_secret_is_read)
{
	CLEANUP(cleanup_free) char *token = sign(HEADER, CLAIMS, SECRET);
	json_t *claims = NULL;
	const char *subject = NULL;
	struct err e = { 0 };

	ck_assert_msg(jwt_read_claims(token, &secret_key, &claims, &e) == 0, "%s", e.message);
	ck_assert_int_eq(jwt_check_times(claims, NOW, &e), 0);
	ck_assert_int_eq(jwt_text(claims, "sub", 3, &subject, &e), 0);
	ck_assert_str_eq(subject, "ada");
	ck_assert_int_eq(jwt_text(claims, "sub", 2, &subject, &e), -1);
	ck_assert_int_eq(jwt_text(claims, "exp", 9, &subject, &e), -1);
	ck_assert_int_eq(jwt_text(claims, "jti", 9, &subject, &e), -1);
	json_decref(claims);
}
END_TEST

START_TEST(any_other_algorithm_is_refused_although_the_signature_fits)
{
	static const char *const headers[] = {
		"{\"alg\":\"none\"}",
		"{\"alg\":\"None\"}",
		"{\"alg\":\"HS512\"}",
		"{\"alg\":\"RS256\"}",
		"{\"alg\":\"hs256\"}",
		"{\"alg\":256}",
		"{\"alg\":null}",
		"{\"typ\":\"JWT\"}",
		"{}",
		"[\"HS256\"]",
		"{\"alg\":\"HS256\",\"alg\":\"HS256\"}",
		"{\"alg\":\"none\",\"alg\":\"HS256\"}",
		"{\"alg\":\"HS256\",\"crit\":[\"exp\"]}",
		"{\"alg\":\"HS256\",\"b64\":false,\"crit\":[\"b64\"]}",
		"{\"alg\":\"HS256\\u0000\"}",
	};

	ck_assert_str_eq(verdict_on(HEADER, CLAIMS), "");
	for (size_t i = 0; i < ARRAY_SIZE(headers); i++)
		ck_assert_msg(strcmp(verdict_on(headers[i], CLAIMS), "INVALID_TOKEN") == 0, "%s",
			      headers[i]);
}
END_TEST

START_TEST(a_token_without_or_with_a_wrong_signature_is_refused)
{
	CLEANUP(cleanup_free) char *token = sign(HEADER, CLAIMS, SECRET);
	CLEANUP(cleanup_free)
	char *wrong = sign(HEADER, CLAIMS, "fedcba9876543210fedcba9876543210");
	CLEANUP(cleanup_free)
	char *none = sign("{\"alg\":\"none\",\"typ\":\"JWT\"}", CLAIMS, SECRET);
	CLEANUP(cleanup_free) char *longer = mem_printf("%sAA", token);
	CLEANUP(cleanup_free) char *fourth = mem_printf("%s.", token);
	char *dot = strrchr(none, '.');

	ck_assert_str_eq(verdict(wrong, &secret_key), "INVALID_TOKEN");
	dot[1] = '\0'; /* RFC 7519, section 6.1 */
	ck_assert_str_eq(verdict(none, &secret_key), "INVALID_TOKEN");
	*dot = '\0';
	ck_assert_str_eq(verdict(none, &secret_key), "INVALID_TOKEN");
	ck_assert_str_eq(verdict(longer, &secret_key), "INVALID_TOKEN");
	ck_assert_str_eq(verdict(fourth, &secret_key), "INVALID_TOKEN");
	for (size_t i = 0; token[i] != '\0'; i++) {
		char was = token[i];
		token[i] = was == 'A' ? 'B' : 'A';
		/* The last character of 32 bytes has unused bits, so some changes of it pass. */
		if (token[i + 1] != '\0')
			ck_assert_str_eq(verdict(token, &secret_key), "INVALID_TOKEN");
		token[i] = was;
	}
	*strrchr(token, '.') = '\0';
	ck_assert_str_eq(verdict(token, &secret_key), "INVALID_TOKEN");
}
END_TEST

START_TEST(invalid_tokens_are_refused)
{
	CLEANUP(cleanup_free) char *huge = mem_calloc(JWT_MAX_BYTES + 100, 1);
	static const char *const texts[] = { "",
					     ".",
					     "..",
					     "...",
					     "a.b.c",
					     "e30.e30.e30",
					     "eyJhbGciOiJIUzI1NiJ9.e30.",
					     " e30.e30.e30" };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		ck_assert_str_eq(verdict(texts[i], &secret_key), "INVALID_TOKEN");
	memset(huge, 'a', JWT_MAX_BYTES + 50);
	huge[10] = huge[20] = '.';
	ck_assert_str_eq(verdict(huge, &secret_key), "INVALID_TOKEN");
}
END_TEST

START_TEST(times_are_integers_and_checked)
{
	static const struct {
		const char *claims, *code;
	} rows[] = {
		{ "{\"exp\":1501}", "" },
		{ "{\"exp\":1500}", "EXPIRED_TOKEN" },
		{ "{\"exp\":0}", "EXPIRED_TOKEN" },
		{ "{}", "INVALID_TOKEN" },
		{ "{\"exp\":null}", "INVALID_TOKEN" },
		{ "{\"exp\":true}", "INVALID_TOKEN" },
		{ "{\"exp\":\"2000\"}", "INVALID_TOKEN" },
		{ "{\"exp\":[2000]}", "INVALID_TOKEN" },
		{ "{\"exp\":2000.5}", "INVALID_TOKEN" },
		{ "{\"exp\":1e300}", "INVALID_TOKEN" },
		{ "{\"exp\":-1}", "INVALID_TOKEN" },
		{ "{\"exp\":9223372036854775807}", "INVALID_TOKEN" },
		{ "{\"exp\":99999999999999999999999}", "INVALID_TOKEN" },
		{ "{\"exp\":1000,\"exp\":2000}", "INVALID_TOKEN" },
		{ "{\"exp\":2000,\"exp\":1000}", "INVALID_TOKEN" },
		{ "{\"Exp\":2000}", "INVALID_TOKEN" },
		{ "{\"exp\":2000,\"nbf\":1560}", "" },
		{ "{\"exp\":2000,\"nbf\":1561}", "INVALID_TOKEN" },
		{ "{\"exp\":2000,\"nbf\":\"0\"}", "INVALID_TOKEN" },
		{ "{\"exp\":2000,\"iat\":1561}", "INVALID_TOKEN" },
		{ "{\"exp\":2000,\"iat\":9223372036854775807}", "INVALID_TOKEN" },
		{ "{\"exp\":2000} {}", "INVALID_TOKEN" },
		{ "[2000]", "INVALID_TOKEN" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		ck_assert_msg(strcmp(verdict_on(HEADER, rows[i].claims), rows[i].code) == 0, "%s",
			      rows[i].claims);
}
END_TEST

START_TEST(a_text_has_no_control_characters)
{
	CLEANUP(cleanup_free)
	char *token = sign(HEADER, "{\"a\":\"x\\ny\",\"b\":\"\",\"c\":7,\"d\":{}}", SECRET);
	static const char *const names[] = { "a", "b", "c", "d", "e" };
	const char *text = NULL;
	json_t *claims = NULL;
	struct err e;

	ck_assert_int_eq(jwt_read_claims(token, &secret_key, &claims, &e), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		ck_assert_int_eq(jwt_text(claims, names[i], 100, &text, &e), -1);
	ck_assert_ptr_null(text);
	json_decref(claims);
}
END_TEST

/* ---- keys that an issuer publishes ----------------------------------------------------------- */

static json_t *number_of(EVP_PKEY *key, const char *name)
{
	BIGNUM *number = NULL;
	unsigned char bytes[1024];

	ck_assert_int_eq(EVP_PKEY_get_bn_param(key, name, &number), 1);
	int length = BN_bn2bin(number, bytes);
	CLEANUP(cleanup_free) char *text = base64url(bytes, (size_t)length);
	BN_free(number);
	return json_string(text);
}

/* Returns a coordinate with its leading zeros. */
static json_t *coordinate_of(EVP_PKEY *key, const char *name)
{
	BIGNUM *number = NULL;
	unsigned char bytes[32];

	ck_assert_int_eq(EVP_PKEY_get_bn_param(key, name, &number), 1);
	ck_assert_int_eq(BN_bn2binpad(number, bytes, sizeof(bytes)), sizeof(bytes));
	CLEANUP(cleanup_free) char *text = base64url(bytes, sizeof(bytes));
	BN_free(number);
	return json_string(text);
}

static json_t *jwk_of(EVP_PKEY *key, const char *id)
{
	if (EVP_PKEY_is_a(key, "RSA"))
		return json_pack("{s:s, s:s, s:s, s:o, s:o}", "kty", "RSA", "use", "sig", "kid", id,
				 "n", number_of(key, "n"), "e", number_of(key, "e"));
	return json_pack("{s:s, s:s, s:s, s:o, s:o}", "kty", "EC", "crv", "P-256", "kid", id, "x",
			 coordinate_of(key, "qx"), "y", coordinate_of(key, "qy"));
}

/* Makes a token, signed by libjwt. */
static char *sign_by_key(EVP_PKEY *key, jwt_alg_t algorithm, const char *id)
{
	BIO *pem = BIO_new(BIO_s_mem());
	char *data = NULL;
	jwt_t *jwt = NULL;

	ck_assert_int_eq(PEM_write_bio_PrivateKey(pem, key, NULL, NULL, 0, NULL, NULL), 1);
	long length = BIO_get_mem_data(pem, &data);
	ck_assert_int_eq(jwt_new(&jwt), 0);
	ck_assert_int_eq(jwt_add_grants_json(jwt, CLAIMS), 0);
	if (id != NULL)
		ck_assert_int_eq(jwt_add_header(jwt, "kid", id), 0);
	ck_assert_int_eq(jwt_set_alg(jwt, algorithm, (unsigned char *)data, (int)length), 0);
	char *token = jwt_encode_str(jwt);
	char *copy = mem_strdup(token);
	free(token);
	jwt_free(jwt);
	BIO_free(pem);
	return copy;
}

/* Like verdict(), with the key for it from `jwks`. */
static const char *verdict_by(const json_t *jwks, const char *token)
{
	static struct err e;
	CLEANUP(json_decrefp) json_t *header = NULL;
	CLEANUP(cleanup_free) char *pem = NULL;
	struct jwt_key key = { .bytes = "" };

	ck_assert_int_eq(jwt_read_header(token, &header, &e), 0);
	if (jwks_find(jwks, header, &key.algorithm, &pem, &e) < 0)
		return e.message;
	key.bytes = pem;
	key.length = strlen(pem);
	return verdict(token, &key);
}

static json_t *jwks_of(json_t *first, json_t *second)
{
	return json_pack("{s:[o, o*]}", "keys", first, second);
}

START_TEST(a_token_is_checked_with_the_published_key)
{
	EVP_PKEY *rsa = EVP_RSA_gen(2048), *other = EVP_RSA_gen(2048), *ec = EVP_EC_gen("P-256");
	CLEANUP(cleanup_free) char *by_rsa = sign_by_key(rsa, JWT_ALG_RS256, "r");
	CLEANUP(cleanup_free) char *by_other = sign_by_key(other, JWT_ALG_RS256, "r");
	CLEANUP(cleanup_free) char *by_ec = sign_by_key(ec, JWT_ALG_ES256, "e");
	CLEANUP(cleanup_free) char *nameless = sign_by_key(ec, JWT_ALG_ES256, NULL);
	CLEANUP(json_decrefp) json_t *jwks = jwks_of(jwk_of(rsa, "r"), jwk_of(ec, "e"));
	CLEANUP(json_decrefp) json_t *two = jwks_of(jwk_of(ec, "e"), jwk_of(ec, "f"));

	ck_assert_str_eq(verdict_by(jwks, by_rsa), "");
	ck_assert_str_eq(verdict_by(jwks, by_ec), "");
	ck_assert_str_eq(verdict_by(jwks, nameless), "");
	ck_assert_str_eq(verdict_by(jwks, by_other), "INVALID_TOKEN");
	ck_assert_ptr_nonnull(strstr(verdict_by(two, nameless), "several keys"));
	ck_assert_str_eq(verdict_by(two, by_ec), "");
	ck_assert_ptr_nonnull(strstr(verdict_by(two, by_rsa), "no usable key"));
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(other);
	EVP_PKEY_free(ec);
}
END_TEST

START_TEST(a_public_key_is_no_shared_secret)
{
	EVP_PKEY *rsa = EVP_RSA_gen(2048);
	CLEANUP(json_decrefp) json_t *jwks = jwks_of(jwk_of(rsa, "r"), NULL);
	BIO *out = BIO_new(BIO_s_mem());
	char *data = NULL;

	/* The attack: an HMAC whose key is the public key. */
	ck_assert_int_eq(PEM_write_bio_PUBKEY(out, rsa), 1);
	long length = BIO_get_mem_data(out, &data);
	CLEANUP(cleanup_free) char *pem = mem_strndup(data, (size_t)length);
	CLEANUP(cleanup_free)
	char *confused = sign("{\"alg\":\"HS256\",\"kid\":\"r\"}", CLAIMS, pem);
	const struct jwt_key key = { JWT_RS256, pem, strlen(pem) };
	ck_assert_ptr_nonnull(strstr(verdict_by(jwks, confused), "neither by RS256 nor"));
	ck_assert_str_eq(verdict(confused, &key), "INVALID_TOKEN");
	CLEANUP(cleanup_free) char *renamed = sign("{\"alg\":\"RS256\"}", CLAIMS, pem);
	ck_assert_str_eq(verdict(renamed, &key), "INVALID_TOKEN");
	BIO_free(out);
	EVP_PKEY_free(rsa);
}
END_TEST

START_TEST(a_published_key_must_be_one)
{
	EVP_PKEY *rsa = EVP_RSA_gen(2048), *weak = EVP_RSA_gen(1024), *ec = EVP_EC_gen("P-256");
	CLEANUP(cleanup_free) char *by_rsa = sign_by_key(rsa, JWT_ALG_RS256, "r");
	CLEANUP(cleanup_free) char *by_weak = sign_by_key(weak, JWT_ALG_RS256, "r");
	CLEANUP(cleanup_free) char *by_ec = sign_by_key(ec, JWT_ALG_ES256, "r");
	static const struct {
		const char *member, *value;
	} changes[] = { { "use", "enc" }, { "alg", "RS512" }, { "kty", "oct" }, { "kid", "x" },
			{ "n", "AQ" },    { "n", "!" },       { "e", "AQ" },    { "e", "Ag" },
			{ "n", "" },      { "kty", "EC" } };
	static const struct {
		const char *member, *value;
	} ec_changes[] = { { "crv", "P-384" },
			   { "x", "AQ" },
			   { "y", "" },
			   { "x", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" } };

	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		json_t *jwk = jwk_of(rsa, "r");
		json_object_set_new(jwk, changes[i].member, json_string(changes[i].value));
		CLEANUP(json_decrefp) json_t *jwks = jwks_of(jwk, NULL);
		ck_assert_ptr_nonnull(strstr(verdict_by(jwks, by_rsa), "no usable key"));
	}
	for (size_t i = 0; i < ARRAY_SIZE(ec_changes); i++) {
		json_t *jwk = jwk_of(ec, "r");
		json_object_set_new(jwk, ec_changes[i].member, json_string(ec_changes[i].value));
		CLEANUP(json_decrefp) json_t *jwks = jwks_of(jwk, NULL);
		ck_assert_ptr_nonnull(strstr(verdict_by(jwks, by_ec), "no usable key"));
	}
	CLEANUP(json_decrefp) json_t *weak_one = jwks_of(jwk_of(weak, "r"), NULL);
	ck_assert_ptr_nonnull(strstr(verdict_by(weak_one, by_weak), "no usable key"));
	CLEANUP(json_decrefp) json_t *none = json_pack("{s:s}", "keys", "none");
	ck_assert_ptr_nonnull(strstr(verdict_by(none, by_rsa), "no usable key"));
	CLEANUP(json_decrefp) json_t *odd = json_pack("{s:[i, n, s, {}]}", "keys", 7, "x");
	ck_assert_ptr_nonnull(strstr(verdict_by(odd, by_rsa), "no usable key"));
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(weak);
	EVP_PKEY_free(ec);
}
END_TEST

START_TEST(a_weak_or_missing_secret_is_our_own_fault)
{
	CLEANUP(cleanup_free) char *token = sign(HEADER, CLAIMS, "short");
	const struct jwt_key weak = { JWT_HS256, "short", 5 }, none = { JWT_HS256, "", 0 };

	ck_assert_str_eq(verdict(token, &weak), "INTERNAL");
	ck_assert_str_eq(verdict(token, &none), "INTERNAL");
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
	Suite *s = suite_create("jwt");
	TCase *tc = tcase_create("jwt");

	tcase_set_timeout(tc, 300); /* making RSA keys can take long */
	tcase_add_test(tc, a_token_that_was_signed_with_the_secret_is_read);
	tcase_add_test(tc, any_other_algorithm_is_refused_although_the_signature_fits);
	tcase_add_test(tc, a_token_without_or_with_a_wrong_signature_is_refused);
	tcase_add_test(tc, invalid_tokens_are_refused);
	tcase_add_test(tc, times_are_integers_and_checked);
	tcase_add_test(tc, a_text_has_no_control_characters);
	tcase_add_test(tc, a_token_is_checked_with_the_published_key);
	tcase_add_test(tc, a_public_key_is_no_shared_secret);
	tcase_add_test(tc, a_published_key_must_be_one);
	tcase_add_test(tc, a_weak_or_missing_secret_is_our_own_fault);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *runner = srunner_create(suite());

	mem_init_libraries();
	crypto_init();
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
