#include "http/certificate.h"

#include <stdbool.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/x509v3.h>

#include "base/cleanup.h"

enum { GROUP_NAME_MAX = 64 };

static void clear_number(BIGNUM **number)
{
	BN_clear_free(*number); /* NULL is fine */
}

static int refuse(struct err *e, const char *why)
{
	return err_set(e, ERR_INVALID, NULL, "%s", why);
}

/* Returns the bits of one of a key's numbers; 0 if it has none with that name. */
static int bits_of(const EVP_PKEY *key, const char *name)
{
	CLEANUP(clear_number) BIGNUM *number = NULL;

	return EVP_PKEY_get_bn_param(key, name, &number) == 1 ? BN_num_bits(number) : 0;
}

/* ---- the cost of verifying with a key -------------------------------------------------------- */

static int check_rsa(const EVP_PKEY *key, struct err *e)
{
	int bits = EVP_PKEY_get_bits(key);
	int exponent = bits_of(key, OSSL_PKEY_PARAM_RSA_E);

	if (bits < CERTIFICATE_RSA_MIN_BITS || bits > CERTIFICATE_RSA_MAX_BITS)
		return err_set(e, ERR_INVALID, NULL,
			       "an RSA key of %d bits: make one of %d to %d bits, or an ECDSA key",
			       bits, CERTIFICATE_RSA_MIN_BITS, CERTIFICATE_RSA_MAX_BITS);
	if (exponent < 2 || exponent > CERTIFICATE_EXPONENT_BITS)
		return err_set(e, ERR_INVALID, NULL,
			       "an RSA key whose public exponent has %d bits: make one with the "
			       "usual exponent, 65537",
			       exponent);
	return 0;
}

/* The costs of explicit curves, instead of named ones, have no limit. */
static int check_ec(const EVP_PKEY *key, struct err *e)
{
	static const char *const curves[] = { "prime256v1", "secp384r1", "secp521r1" };
	char name[GROUP_NAME_MAX] = "";
	int spelled_out = 0;

	(void)EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
				     &spelled_out);
	(void)EVP_PKEY_get_group_name(key, name, sizeof(name), NULL);
	for (size_t i = 0; spelled_out == 0 && i < ARRAY_SIZE(curves); i++) {
		if (strcmp(name, curves[i]) == 0)
			return 0;
	}
	return refuse(e, "an elliptic curve that is not taken: make a key on P-256, P-384 or "
			 "P-521");
}

static int check_nothing(const EVP_PKEY *key, struct err *e)
{
	(void)key;
	(void)e;
	return 0;
}

static const struct {
	const char *type;
	int (*check)(const EVP_PKEY *key, struct err *e);
} keys[] = {
	{ "RSA", check_rsa },
	{ "RSA-PSS", check_rsa },
	{ "EC", check_ec },
	{ "ED25519", check_nothing },
};

static int check_key(const EVP_PKEY *key, struct err *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (EVP_PKEY_is_a(key, keys[i].type) == 1)
			return keys[i].check(key, e);
	}
	return refuse(e, "a key of a type that is not taken: make an RSA, ECDSA or Ed25519 key");
}

/* ---- the cost of comparing names ------------------------------------------------------------- */

static int count_names(const X509 *certificate)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	int count = sk_GENERAL_NAME_num(names); /* -1 of NULL */

	GENERAL_NAMES_free(names);
	return count;
}

static int count_constraints(const X509 *certificate)
{
	NAME_CONSTRAINTS *all = X509_get_ext_d2i(certificate, NID_name_constraints, NULL, NULL);

	if (all == NULL)
		return 0;
	int permitted = sk_GENERAL_SUBTREE_num(all->permittedSubtrees);
	int excluded = sk_GENERAL_SUBTREE_num(all->excludedSubtrees);
	NAME_CONSTRAINTS_free(all);
	return (permitted > 0 ? permitted : 0) + (excluded > 0 ? excluded : 0);
}

static int check_names(const X509 *certificate, struct err *e)
{
	int names = count_names(certificate), constraints = count_constraints(certificate);

	if (names > CERTIFICATE_NAMES_MAX)
		return err_set(e, ERR_INVALID, NULL,
			       "%d alternative names: make one with %d at most", names,
			       CERTIFICATE_NAMES_MAX);
	if (constraints > CERTIFICATE_CONSTRAINTS_MAX)
		return err_set(e, ERR_INVALID, NULL,
			       "%d constraints on names: make one with %d at most", constraints,
			       CERTIFICATE_CONSTRAINTS_MAX);
	return 0;
}

int certificate_check(X509 *certificate, struct err *e)
{
	const EVP_PKEY *key = X509_get0_pubkey(certificate);

	if (key == NULL)
		return refuse(e, "a key that cannot be read");
	return check_key(key, e) < 0 ? -1 : check_names(certificate, e);
}

/* ---- the cost of signing with a key ---------------------------------------------------------- */

/* OpenSSL uses these numbers as they are: their size is not limited by that of the modulus, nor by
 * the certificate. */
static bool has_sane_numbers(const EVP_PKEY *key, int bits)
{
	static const char *const names[] = {
		OSSL_PKEY_PARAM_RSA_D,         OSSL_PKEY_PARAM_RSA_FACTOR1,
		OSSL_PKEY_PARAM_RSA_FACTOR2,   OSSL_PKEY_PARAM_RSA_EXPONENT1,
		OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (bits_of(key, names[i]) > bits)
			return false;
	}
	return bits_of(key, OSSL_PKEY_PARAM_RSA_FACTOR3) == 0;
}

int certificate_check_private_key(const EVP_PKEY *key, struct err *e)
{
	int bits = EVP_PKEY_get_bits(key);

	if (check_key(key, e) < 0)
		return -1;
	if (EVP_PKEY_is_a(key, "RSA") != 1 && EVP_PKEY_is_a(key, "RSA-PSS") != 1)
		return 0;
	if (bits > CERTIFICATE_SIGN_MAX_BITS)
		return err_set(e, ERR_INVALID, NULL,
			       "an RSA key of %d bits to sign with: make one of at most %d bits, "
			       "or an ECDSA key",
			       bits, CERTIFICATE_SIGN_MAX_BITS);
	return has_sane_numbers(key, bits)
		       ? 0
		       : refuse(e, "an RSA key whose numbers do not fit its size: make another");
}
