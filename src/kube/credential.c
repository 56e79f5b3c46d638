#include "kube/credential.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

#include <jansson.h>
#include <openssl/bio.h>
#include <openssl/core_dispatch.h>
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "crypto/token.h"
#include "http/certificate.h"

enum { TOKEN_MAX = 16384 };

static void free_bio(BIO **bio)
{
	BIO_free(*bio);
}

static void free_certificate(X509 **certificate)
{
	X509_free(*certificate);
}

static void free_key(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

static void free_decoder(OSSL_DECODER_CTX **decoder)
{
	OSSL_DECODER_CTX_free(*decoder);
}

static void free_pkcs8(PKCS8_PRIV_KEY_INFO **pkcs8)
{
	PKCS8_PRIV_KEY_INFO_free(*pkcs8);
}

/* Replaces OpenSSL's default, which prompts at the terminal. */
static int no_password(char *buffer, int size, int for_writing, void *user)
{
	(void)buffer;
	(void)size;
	(void)for_writing;
	(void)user;
	return -1;
}

static int refuse(struct err *e, const char *why)
{
	ERR_clear_error();
	return err_set(e, ERR_INVALID, NULL, "%s", why);
}

static int64_t end_of_validity(const X509 *certificate)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &tm) != 1)
		return 0;
	return (int64_t)timegm(&tm);
}

/* Whether reading stopped at the end of the input. */
static bool at_end(void)
{
	unsigned long error = ERR_peek_last_error();

	return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

static char *text_of(BIO *bio)
{
	char *data = NULL;
	long length = BIO_get_mem_data(bio, &data);

	return mem_strndup(data, (size_t)length);
}

/* ---- certificates -------------------------------------------------------------------------- */

int credential_read_certificates(const char *pem, int most, char **ret_pem, int64_t *ret_expires_at,
				 struct err *e)
{
	CLEANUP(free_bio) BIO *in = BIO_new_mem_buf(pem, (int)strlen(pem));
	CLEANUP(free_bio) BIO *out = BIO_new(BIO_s_mem());
	int64_t expires_at = 0;
	int count = 0;

	ERR_clear_error();
	for (;; count++) {
		CLEANUP(free_certificate)
		X509 *certificate = PEM_read_bio_X509(in, NULL, no_password, NULL);
		if (certificate == NULL)
			break;
		if (count == most)
			return err_set(e, ERR_INVALID, NULL,
				       "more than %d certificates: leave only those that are "
				       "needed",
				       most);
		if (certificate_check(certificate, e) < 0)
			return err_wrap(e, "certificate %d", count + 1);
		if (count == 0)
			expires_at = end_of_validity(certificate);
		if (PEM_write_bio_X509(out, certificate) != 1)
			return refuse(e, "a certificate cannot be written again");
	}
	if (count == 0 || !at_end())
		return refuse(e, "not PEM certificates");
	ERR_clear_error();
	*ret_pem = text_of(out);
	if (ret_expires_at != NULL)
		*ret_expires_at = expires_at;
	return 0;
}

/* ---- a private key ------------------------------------------------------------------------- */

/* Returns OpenSSL's name of a key's type, from PKCS#8; NULL if the type is not accepted. */
static const char *type_in(const PKCS8_PRIV_KEY_INFO *pkcs8)
{
	static const struct {
		int nid;
		const char *type;
	} types[] = {
		{ NID_rsaEncryption, "RSA" },
		{ NID_rsassaPss, "RSA-PSS" },
		{ NID_X9_62_id_ecPublicKey, "EC" },
		{ NID_ED25519, "ED25519" },
	};
	const ASN1_OBJECT *algorithm = NULL;

	(void)PKCS8_pkey_get0(&algorithm, NULL, NULL, NULL, pkcs8);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (OBJ_obj2nid(algorithm) == types[i].nid)
			return types[i].type;
	}
	return NULL;
}

/* Decodes as this type only: reading a DSA or DH key would compute with its numbers, which can be
 * as long as the file. */
static EVP_PKEY *decode(const unsigned char *der, long length, const char *type)
{
	CLEANUP(free_key) EVP_PKEY *key = NULL;
	CLEANUP(free_decoder)
	OSSL_DECODER_CTX *decoder = OSSL_DECODER_CTX_new_for_pkey(
		&key, "DER", NULL, type, OSSL_KEYMGMT_SELECT_KEYPAIR, NULL, NULL);
	size_t left = (size_t)length;

	if (decoder == NULL || OSSL_DECODER_from_data(decoder, &der, &left) != 1)
		return NULL;
	return STEAL(key);
}

static EVP_PKEY *decode_pkcs8(const unsigned char *der, long length)
{
	const unsigned char *at = der;
	CLEANUP(free_pkcs8)
	PKCS8_PRIV_KEY_INFO *pkcs8 = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, length);
	const char *type = pkcs8 != NULL ? type_in(pkcs8) : NULL;

	return type != NULL ? decode(der, length, type) : NULL;
}

/* Reads one block of PEM; `ret_key` stays NULL if it holds no key, such as "EC PARAMETERS". */
static bool read_block(BIO *in, EVP_PKEY **ret_key)
{
	char *name = NULL, *header = NULL;
	unsigned char *der = NULL;
	long length = 0;

	if (PEM_read_bio(in, &name, &header, &der, &length) != 1)
		return false;
	bool plain = header[0] == '\0'; /* not encrypted */
	if (plain && strcmp(name, "PRIVATE KEY") == 0)
		*ret_key = decode_pkcs8(der, length);
	else if (plain && strcmp(name, "RSA PRIVATE KEY") == 0)
		*ret_key = decode(der, length, "RSA");
	else if (plain && strcmp(name, "EC PRIVATE KEY") == 0)
		*ret_key = decode(der, length, "EC");
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_clear_free(der, (size_t)length);
	return true;
}

static X509 *first_certificate(const char *pem)
{
	CLEANUP(free_bio) BIO *in = BIO_new_mem_buf(pem, (int)strlen(pem));

	return PEM_read_bio_X509(in, NULL, no_password, NULL);
}

int credential_read_key(const char *certificate_pem, const char *key_pem, char **ret_pem,
			struct err *e)
{
	CLEANUP(free_bio) BIO *in = BIO_new_mem_buf(key_pem, (int)strlen(key_pem));
	CLEANUP(free_bio) BIO *out = BIO_new(BIO_s_secmem());
	CLEANUP(free_certificate) X509 *certificate = first_certificate(certificate_pem);
	CLEANUP(free_key) EVP_PKEY *key = NULL;

	while (key == NULL && read_block(in, &key)) {
	}
	if (key == NULL)
		return refuse(e, "not an unencrypted PEM private key (RSA, ECDSA or Ed25519)");
	if (certificate_check_private_key(key, e) < 0)
		return -1;
	if (certificate == NULL || X509_check_private_key(certificate, key) != 1)
		return refuse(e, "the private key is not that of the certificate");
	if (PEM_write_bio_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL) != 1)
		return refuse(e, "the private key cannot be written again");
	ERR_clear_error();
	*ret_pem = text_of(out);
	return 0;
}

/* ---- tokens -------------------------------------------------------------------------------- */

int credential_check_token(const char *token, struct err *e)
{
	if (strlen(token) > TOKEN_MAX)
		return refuse(e, "longer than 16,384 characters");
	for (const char *p = token; *p != '\0'; p++) {
		if (*p <= ' ' || *p > '~')
			return refuse(e, "blanks, line ends or characters that are not ASCII");
	}
	return 0;
}

int64_t credential_token_expiry(const char *token)
{
	const char *first = strchr(token, '.');
	const char *last = strrchr(token, '.');
	CLEANUP(buf_wipe) struct buf payload = BUF_INIT(TOKEN_MAX);

	if (first == last ||
	    !base64_decode(BASE64_URL, first + 1, (size_t)(last - first - 1), &payload))
		return 0;
	json_auto_t *claims = json_loadb(payload.data, payload.length, 0, NULL);
	double exp = json_number_value(json_object_get(claims, "exp"));
	/* Up to the year 9999: a later time is not meant seriously. */
	return exp > 0 && exp < 253402300800.0 ? (int64_t)exp : 0;
}
