#ifndef FSA_KUBE_CREDENTIAL_H
#define FSA_KUBE_CREDENTIAL_H

#include <stdint.h>

#include "base/err.h"

/* The credentials of a kubeconfig: certificates, keys and tokens, checked before they are used
 * (OpenSSL). All failures are ERR_INVALID; messages never quote what was read. */

/* Reads PEM text with one certificate, `most` at most, and nothing but certificates, whose keys are
 * within the bounds of http/certificate.h. `ret_pem`: the same in one spelling, so that equal
 * chains are equal strings; the caller frees. `ret_expires_at`: end of validity of the first one,
 * Unix seconds; NULL is fine. */
int credential_read_certificates(const char *pem, int most, char **ret_pem, int64_t *ret_expires_at,
				 struct err *e);
/* Reads an unencrypted private key, which must be that of the first certificate and within the
 * bounds of http/certificate.h. `ret_pem`: the key that was read and nothing else, so that no other
 * key in the text can be used later; the caller frees and wipes it. */
int credential_read_key(const char *certificate_pem, const char *key_pem, char **ret_pem,
			struct err *e);

/* Whether a token can stand in a header: printable ASCII without blanks. */
int credential_check_token(const char *token, struct err *e);
/* `exp` of a JWT, whose signature is not checked here; 0 if it is not a JWT or has no `exp`. */
int64_t credential_token_expiry(const char *token);

#endif
