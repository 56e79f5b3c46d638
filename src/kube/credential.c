#include "kube/credential.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

#include <jansson.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "crypto/token.h"

enum { TOKEN_MAX = 16384, CERTIFICATES_MAX = 64 };

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

/* Instead of OpenSSL's default, which asks at the terminal. */
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

/* Whether reading stopped because there was nothing more to read. */
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

int credential_read_certificates(const char *pem, char **ret_pem, int64_t *ret_expires_at,
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
		if (count == CERTIFICATES_MAX)
			return refuse(e, "too many certificates");
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

int credential_check_key(const char *certificate_pem, const char *key_pem, struct err *e)
{
	CLEANUP(free_bio) BIO *in = BIO_new_mem_buf(certificate_pem, (int)strlen(certificate_pem));
	CLEANUP(free_bio) BIO *key_in = BIO_new_mem_buf(key_pem, (int)strlen(key_pem));
	CLEANUP(free_certificate)
	X509 *certificate = PEM_read_bio_X509(in, NULL, no_password, NULL);
	CLEANUP(free_key)
	EVP_PKEY *key = PEM_read_bio_PrivateKey(key_in, NULL, no_password, NULL);

	if (key == NULL)
		return refuse(e, "not an unencrypted PEM private key");
	if (certificate == NULL || X509_check_private_key(certificate, key) != 1)
		return refuse(e, "the private key is not that of the certificate");
	return 0;
}

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
	/* Up to the year 9999: beyond, nobody means a time. */
	return exp > 0 && exp < 253402300800.0 ? (int64_t)exp : 0;
}
