#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "http/certificate.h"
#include "kube/credential.h"
#include "pki.h"

enum { BUNDLE = 16 };

/* ---- keys of every kind -------------------------------------------------------------------- */

static BIGNUM *number_of(int bits)
{
	BIGNUM *number = BN_new();

	ck_assert_int_eq(BN_rand(number, bits, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD), 1);
	return number;
}

static EVP_PKEY *key_of(const char *type, int selection, OSSL_PARAM_BLD *builder)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
	EVP_PKEY *key = NULL;

	ck_assert_int_eq(EVP_PKEY_fromdata_init(context), 1);
	ck_assert_int_eq(EVP_PKEY_fromdata(context, &key, selection, params), 1);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(builder);
	EVP_PKEY_CTX_free(context);
	return key;
}

/* Makes a public key of any size, whose private key nobody knows. */
static EVP_PKEY *rsa_public(int bits, int exponent_bits)
{
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	BIGNUM *n = number_of(bits), *e = number_of(exponent_bits);

	OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n);
	OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e);
	EVP_PKEY *key = key_of("RSA", EVP_PKEY_PUBLIC_KEY, builder);
	BN_free(n);
	BN_free(e);
	return key;
}

/* Returns a copy with one much longer number. */
static EVP_PKEY *rsa_with_long(const char *name, EVP_PKEY *honest)
{
	static const char *const names[] = {
		OSSL_PKEY_PARAM_RSA_N,         OSSL_PKEY_PARAM_RSA_E,
		OSSL_PKEY_PARAM_RSA_D,         OSSL_PKEY_PARAM_RSA_FACTOR1,
		OSSL_PKEY_PARAM_RSA_FACTOR2,   OSSL_PKEY_PARAM_RSA_EXPONENT1,
		OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
	};
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	BIGNUM *numbers[ARRAY_SIZE(names)] = { NULL };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(names[i], name) == 0)
			numbers[i] = number_of(20000);
		else
			ck_assert_int_eq(EVP_PKEY_get_bn_param(honest, names[i], &numbers[i]), 1);
		OSSL_PARAM_BLD_push_BN(builder, names[i], numbers[i]);
	}
	EVP_PKEY *key = key_of("RSA", EVP_PKEY_KEYPAIR, builder);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		BN_free(numbers[i]);
	return key;
}

/* Of 16,384 bits: reading one without its public half means computing that. */
static EVP_PKEY *dsa(void)
{
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	BIGNUM *p = number_of(16384), *q = number_of(16000), *g = number_of(16000);
	static const char *const names[] = { OSSL_PKEY_PARAM_PUB_KEY, OSSL_PKEY_PARAM_PRIV_KEY,
					     OSSL_PKEY_PARAM_FFC_Q };

	OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_FFC_P, p);
	OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_FFC_G, g);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		OSSL_PARAM_BLD_push_BN(builder, names[i], q);
	EVP_PKEY *key = key_of("DSA", EVP_PKEY_KEYPAIR, builder);
	BN_free(p);
	BN_free(q);
	BN_free(g);
	return key;
}

static EVP_PKEY *on_curve_spelled_out(void)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *key = NULL;
	char curve[] = "P-256", encoding[] = "explicit";
	OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve, sizeof(curve) - 1),
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_ENCODING, encoding, sizeof(encoding) - 1),
		OSSL_PARAM_END,
	};

	ck_assert_int_eq(EVP_PKEY_keygen_init(context), 1);
	ck_assert_int_eq(EVP_PKEY_CTX_set_params(context, params), 1);
	ck_assert_int_eq(EVP_PKEY_generate(context, &key), 1);
	EVP_PKEY_CTX_free(context);
	return key;
}

/* ---- certificates -------------------------------------------------------------------------- */

enum { OF_RSA, CURVE, EDWARDS, SPELLED_OUT, OF_DSA };

static const struct {
	int type, bits, exponent_bits;
	const char *curve;
	const char *says; /* NULL: accepted */
} certificates[] = {
	{ OF_RSA, 2048, 17, NULL, NULL },
	{ OF_RSA, 2048, 2, NULL, NULL },
	{ OF_RSA, 4096, 32, NULL, NULL },
	{ OF_RSA, 8192, 17, NULL, NULL },
	{ OF_RSA, 1024, 17, NULL, "certificate 1: an RSA key of 1024 bits: make one of 2048 to" },
	{ OF_RSA, 8200, 17, NULL, "certificate 1: an RSA key of 8200 bits" },
	{ OF_RSA, 16384, 17, NULL, "certificate 1: an RSA key of 16384 bits" },
	{ OF_RSA, 3072, 33, NULL, "certificate 1: an RSA key whose public exponent has 33 bits" },
	{ OF_RSA, 3072, 3070, NULL,
	  "certificate 1: an RSA key whose public exponent has 3070 bits" },
	{ CURVE, 0, 0, "P-256", NULL },
	{ CURVE, 0, 0, "P-384", NULL },
	{ CURVE, 0, 0, "P-521", NULL },
	{ CURVE, 0, 0, "sect571r1", "certificate 1: an elliptic curve that is not taken" },
	{ CURVE, 0, 0, "brainpoolP512r1", "certificate 1: an elliptic curve that is not taken" },
	{ SPELLED_OUT, 0, 0, NULL, "certificate 1: an elliptic curve that is not taken" },
	{ EDWARDS, 0, 0, NULL, NULL },
	{ OF_DSA, 0, 0, NULL, "certificate 1: a key of a type that is not taken" },
};

static EVP_PKEY *key_of_row(int row)
{
	switch (certificates[row].type) {
	case OF_RSA:
		return rsa_public(certificates[row].bits, certificates[row].exponent_bits);
	case CURVE:
		return EVP_EC_gen(certificates[row].curve);
	case SPELLED_OUT:
		return on_curve_spelled_out();
	case EDWARDS:
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	default:
		return dsa();
	}
}

START_TEST(certificates_are_limited_by_the_cost_of_verifying)
{
	EVP_PKEY *key = key_of_row(_i);
	CLEANUP(cleanup_free) char *pem = pki_certificate_with(key), *read = NULL;
	const char *says = certificates[_i].says;
	struct err e = { 0 };

	EVP_PKEY_free(key);
	int result = credential_read_certificates(pem, 1, &read, NULL, &e);
	ck_assert_msg((result == 0) == (says == NULL), "%d: %s", _i, e.message);
	if (says == NULL)
		ck_assert_str_eq(read, pem);
	else
		ck_assert_msg(strncmp(e.message, says, strlen(says)) == 0, "%s", e.message);
}
END_TEST

START_TEST(certificates_are_counted)
{
	CLEANUP(buf_release) struct buf many = BUF_INIT(1 << 20);
	struct pki_pair ca;
	struct err e = { 0 };

	pki_make_ca("x", &ca);
	for (int i = 1; i <= BUNDLE + 1; i++) {
		CLEANUP(cleanup_free) char *read = NULL;
		ck_assert_int_eq(
			buf_append(&many, ca.certificate_pem, strlen(ca.certificate_pem), NULL), 0);
		ck_assert_int_eq(credential_read_certificates(many.data, BUNDLE, &read, NULL, &e),
				 i <= BUNDLE ? 0 : -1);
	}
	ck_assert_msg(strncmp(e.message, "more than 16 certificates", 25) == 0, "%s", e.message);
	pki_release(&ca);
}
END_TEST

static const struct {
	int names, constraints;
	const char *says; /* NULL: accepted */
} named[] = {
	{ 512, 64, NULL },
	{ 513, 0, "513 alternative names: make one with 512 at most" },
	{ 0, 65, "65 constraints on names: make one with 64 at most" },
};

static GENERAL_NAME *name_of(int number)
{
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_IA5STRING *text = ASN1_IA5STRING_new();
	char host[32];

	snprintf(host, sizeof(host), "h%d.example", number);
	ck_assert_int_eq(ASN1_STRING_set(text, host, -1), 1);
	GENERAL_NAME_set0_value(name, GEN_DNS, text);
	return name;
}

static void add_names(X509 *certificate, int count)
{
	GENERAL_NAMES *names = GENERAL_NAMES_new();

	for (int i = 0; i < count; i++)
		sk_GENERAL_NAME_push(names, name_of(i));
	X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT);
	GENERAL_NAMES_free(names);
}

/* Half of them permit names, half exclude names. */
static void add_constraints(X509 *certificate, int count)
{
	NAME_CONSTRAINTS *all = NAME_CONSTRAINTS_new();

	all->permittedSubtrees = sk_GENERAL_SUBTREE_new_null();
	all->excludedSubtrees = sk_GENERAL_SUBTREE_new_null();
	for (int i = 0; i < count; i++) {
		GENERAL_SUBTREE *tree = GENERAL_SUBTREE_new();
		GENERAL_NAME_free(tree->base);
		tree->base = name_of(i);
		sk_GENERAL_SUBTREE_push(i % 2 ? all->permittedSubtrees : all->excludedSubtrees,
					tree);
	}
	X509_add1_ext_i2d(certificate, NID_name_constraints, all, 1, X509V3_ADD_DEFAULT);
	NAME_CONSTRAINTS_free(all);
}

/* Each of a server's names is compared with each constraint of each CA. */
START_TEST(certificates_are_limited_by_the_cost_of_comparing_names)
{
	X509 *certificate = X509_new();
	EVP_PKEY *key = EVP_EC_gen("P-256");
	struct err e = { 0 };

	X509_set_pubkey(certificate, key);
	if (named[_i].names > 0)
		add_names(certificate, named[_i].names);
	if (named[_i].constraints > 0)
		add_constraints(certificate, named[_i].constraints);
	int result = certificate_check(certificate, &e);
	ck_assert_msg((result == 0) == (named[_i].says == NULL), "%s", e.message);
	if (named[_i].says != NULL)
		ck_assert_str_eq(e.message, named[_i].says);
	EVP_PKEY_free(key);
	X509_free(certificate);
}
END_TEST

/* ---- private keys -------------------------------------------------------------------------- */

static int read_key(const char *certificate_pem, const char *key_pem, char **ret_pem, struct err *e)
{
	*ret_pem = NULL;
	return credential_read_key(certificate_pem, key_pem, ret_pem, e);
}

START_TEST(a_key_is_accepted_in_every_usual_form)
{
	/* Made by openssl ecparam -genkey -name prime256v1, and openssl genrsa -traditional. */
	static const char parameters[] = "-----BEGIN EC PARAMETERS-----\n"
					 "BggqhkjOPQMBBw==\n"
					 "-----END EC PARAMETERS-----\n";
	EVP_PKEY *keys[] = { EVP_EC_gen("P-256"), EVP_RSA_gen(2048),
			     EVP_PKEY_Q_keygen(NULL, NULL, "ED25519") };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		CLEANUP(cleanup_free) char *certificate = pki_certificate_with(keys[i]);
		CLEANUP(cleanup_free) char *text = pki_key_text(keys[i]);
		CLEANUP(cleanup_free) char *old = pki_old_key_text(keys[i]);
		CLEANUP(buf_release) struct buf behind = BUF_INIT(1 << 20);
		CLEANUP(cleanup_free) char *read = NULL, *read_old = NULL;
		struct err e = { 0 };
		ck_assert_msg(read_key(certificate, text, &read, &e) == 0, "%s", e.message);
		ck_assert_str_eq(read, text);
		(void)buf_append(&behind, parameters, strlen(parameters), NULL);
		(void)buf_append(&behind, old, strlen(old), NULL);
		ck_assert_msg(read_key(certificate, behind.data, &read_old, &e) == 0, "%s",
			      e.message);
		ck_assert_str_eq(read_old, text);
		EVP_PKEY_free(keys[i]);
	}
}
END_TEST

static void refuse_key(EVP_PKEY *of_certificate, EVP_PKEY *key, const char *says)
{
	CLEANUP(cleanup_free) char *certificate = pki_certificate_with(of_certificate);
	CLEANUP(cleanup_free) char *text = pki_key_text(key);
	CLEANUP(cleanup_free) char *read = NULL;
	struct err e = { 0 };

	ck_assert_int_eq(read_key(certificate, text, &read, &e), -1);
	ck_assert_msg(strncmp(e.message, says, strlen(says)) == 0, "%s", e.message);
	ck_assert_ptr_null(read);
}

START_TEST(a_key_is_refused_by_what_reading_costs)
{
	EVP_PKEY *honest = EVP_RSA_gen(2048), *foreign = dsa(), *curve = EVP_EC_gen("secp256k1");

	refuse_key(honest, foreign, "not an unencrypted PEM private key");
	refuse_key(curve, curve, "an elliptic curve that is not taken");
	EVP_PKEY_free(honest);
	EVP_PKEY_free(foreign);
	EVP_PKEY_free(curve);
}
END_TEST

static const char *const long_numbers[] = {
	OSSL_PKEY_PARAM_RSA_D,         OSSL_PKEY_PARAM_RSA_FACTOR1,   OSSL_PKEY_PARAM_RSA_FACTOR2,
	OSSL_PKEY_PARAM_RSA_EXPONENT1, OSSL_PKEY_PARAM_RSA_EXPONENT2,
};

START_TEST(a_key_is_refused_by_what_signing_costs)
{
	EVP_PKEY *honest = EVP_RSA_gen(2048);
	EVP_PKEY *slow = rsa_with_long(long_numbers[_i], honest);

	refuse_key(honest, slow, "an RSA key whose numbers do not fit its size");
	EVP_PKEY_free(honest);
	EVP_PKEY_free(slow);
}
END_TEST

START_TEST(a_key_of_more_than_4096_bits_is_not_signed_with)
{
	EVP_PKEY *key = EVP_RSA_gen(4104);

	refuse_key(key, key, "an RSA key of 4104 bits to sign with: make one of at most 4096");
	EVP_PKEY_free(key);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("certificate");
	TCase *tc = tcase_create("certificate");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, certificates_are_limited_by_the_cost_of_verifying, 0,
			    (int)ARRAY_SIZE(certificates));
	tcase_add_loop_test(tc, certificates_are_limited_by_the_cost_of_comparing_names, 0,
			    (int)ARRAY_SIZE(named));
	tcase_add_test(tc, certificates_are_counted);
	tcase_add_test(tc, a_key_is_accepted_in_every_usual_form);
	tcase_add_test(tc, a_key_is_refused_by_what_reading_costs);
	tcase_add_loop_test(tc, a_key_is_refused_by_what_signing_costs, 0,
			    ARRAY_SIZE(long_numbers));
	tcase_add_test(tc, a_key_of_more_than_4096_bits_is_not_signed_with);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
