#include "pki.h"

#include <stdlib.h>
#include <string.h>

#include <check.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

static char *text_of(BIO *bio)
{
	char *data = NULL;
	long length = BIO_get_mem_data(bio, &data);
	char *text = strndup(data, (size_t)length);

	BIO_free(bio);
	return text;
}

static char *certificate_text(X509 *certificate)
{
	BIO *bio = BIO_new(BIO_s_mem());

	ck_assert_int_eq(PEM_write_bio_X509(bio, certificate), 1);
	return text_of(bio);
}

char *pki_key_text(EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());

	ck_assert_int_eq(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
	return text_of(bio);
}

char *pki_old_key_text(EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());

	if (EVP_PKEY_is_a(key, "ED25519")) /* has only the new form */
		ck_assert_int_eq(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
	else
		ck_assert_int_eq(
			PEM_write_bio_PrivateKey_traditional(bio, key, NULL, NULL, 0, NULL, NULL),
			1);
	return text_of(bio);
}

static X509 *read_certificate(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	BIO_free(bio);
	ck_assert_ptr_nonnull(certificate);
	return certificate;
}

static EVP_PKEY *read_key(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

	BIO_free(bio);
	ck_assert_ptr_nonnull(key);
	return key;
}

static void add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;

	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	ck_assert_ptr_nonnull(extension);
	ck_assert_int_eq(X509_add_ext(certificate, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

static X509 *new_certificate(EVP_PKEY *key, const char *name)
{
	X509 *certificate = X509_new();
	X509_NAME *subject = X509_get_subject_name(certificate);
	uint64_t serial;

	ck_assert_int_eq(RAND_bytes((unsigned char *)&serial, sizeof(serial)), 1);
	X509_set_version(certificate, X509_VERSION_3);
	ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
	X509_set_pubkey(certificate, key);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1,
				   -1, 0);
	return certificate;
}

void pki_make_ca(const char *name, struct pki_pair *ret_ca)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = new_certificate(key, name);

	X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
	add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
	add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign");
	ck_assert_int_ne(X509_sign(certificate, key, EVP_sha256()), 0);
	*ret_ca = (struct pki_pair) { certificate_text(certificate), pki_key_text(key) };
	X509_free(certificate);
	EVP_PKEY_free(key);
}

void pki_make_leaf(const struct pki_pair *ca, const char *name, const char *alternative,
		   struct pki_pair *ret_leaf)
{
	X509 *issuer = read_certificate(ca->certificate_pem);
	EVP_PKEY *issuer_key = read_key(ca->key_pem);
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = new_certificate(key, name);

	X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
	add_extension(certificate, issuer, NID_ext_key_usage, "serverAuth,clientAuth");
	if (alternative != NULL)
		add_extension(certificate, issuer, NID_subject_alt_name, alternative);
	ck_assert_int_ne(X509_sign(certificate, issuer_key, EVP_sha256()), 0);
	*ret_leaf = (struct pki_pair) { certificate_text(certificate), pki_key_text(key) };
	X509_free(certificate);
	X509_free(issuer);
	EVP_PKEY_free(key);
	EVP_PKEY_free(issuer_key);
}

char *pki_certificate_with(EVP_PKEY *key)
{
	EVP_PKEY *signer = EVP_EC_gen("P-256");
	X509 *certificate = new_certificate(key, "x");

	X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
	ck_assert_int_ne(X509_sign(certificate, signer, EVP_sha256()), 0);
	char *text = certificate_text(certificate);
	X509_free(certificate);
	EVP_PKEY_free(signer);
	return text;
}

void pki_release(struct pki_pair *pair)
{
	free(pair->certificate_pem);
	free(pair->key_pem);
	*pair = (struct pki_pair) { 0 };
}
