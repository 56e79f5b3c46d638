#ifndef FSA_TESTS_UNIT_PKI_H
#define FSA_TESTS_UNIT_PKI_H

/* Certificates for tests: a CA and what it signs (EC P-256, valid for a day). */

#include <openssl/evp.h>

struct pki_pair {
	char *certificate_pem;
	char *key_pem;
};

/* Makes a self-signed CA. */
void pki_make_ca(const char *name, struct pki_pair *ret_ca);
/* Makes a certificate for `name`, signed by `ca`, for clients and for servers at `alternative`
 * ("IP:127.0.0.1", "DNS:x"; NULL: none). */
void pki_make_leaf(const struct pki_pair *ca, const char *name, const char *alternative,
		   struct pki_pair *ret_leaf);
/* Makes a certificate with this key, signed by anybody; and a key as text. The caller frees. */
char *pki_certificate_with(EVP_PKEY *key);
char *pki_key_text(EVP_PKEY *key);
char *pki_old_key_text(EVP_PKEY *key); /* The form "BEGIN RSA PRIVATE KEY", if the key has one. */
void pki_release(struct pki_pair *pair);

#endif
