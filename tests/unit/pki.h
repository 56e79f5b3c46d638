#ifndef FSA_TESTS_UNIT_PKI_H
#define FSA_TESTS_UNIT_PKI_H

/* Certificates for tests, made on the spot: a CA and what it signed (EC P-256, valid for a day). */

#include <openssl/evp.h>

struct pki_pair {
	char *certificate_pem;
	char *key_pem;
};

/* A self-signed CA. */
void pki_make_ca(const char *name, struct pki_pair *ret_ca);
/* A certificate for `name` signed by `ca`, good for servers at `alternative` ("IP:127.0.0.1",
 * "DNS:x"; NULL: none) and for clients. */
void pki_make_leaf(const struct pki_pair *ca, const char *name, const char *alternative,
		   struct pki_pair *ret_leaf);
/* A certificate with this key in it, whoever has signed it; the caller frees. And a key as text. */
char *pki_certificate_with(EVP_PKEY *key);
char *pki_key_text(EVP_PKEY *key);
char *pki_old_key_text(EVP_PKEY *key); /* "BEGIN RSA PRIVATE KEY", where there is such a form */
void pki_release(struct pki_pair *pair);

#endif
