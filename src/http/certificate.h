#ifndef FSA_HTTP_CERTIFICATE_H
#define FSA_HTTP_CERTIFICATE_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/err.h"

/*
 * Bounds what a stranger's cryptography may cost, before any of it is computed. A signature is
 * verified in time that grows with the square of an RSA key's size and with the length of its
 * exponent: sixty keys of 3,072 bits with an exponent of the same length take two thirds of a
 * second of processor time per handshake; sixty ordinary keys take three milliseconds. The bounds
 * hold for the CA and the client certificate of a kubeconfig, and for the certificates that an API
 * server sends in the handshake. Digests cost in proportion to a certificate's bytes, which are
 * bounded, whatever algorithm it names. Each name is compared with each constraint of every CA
 * above it: as many as fit into a chain's bytes would take a tenth of a second.
 *
 * Errors are ERR_INVALID without a code; their messages say what is accepted, and quote nothing.
 */
enum {
	CERTIFICATE_CHAIN_MAX = 8,        /* in a chain: servers send two or three */
	CERTIFICATE_CHAIN_BYTES = 32768,  /* of the handshake's message */
	CERTIFICATE_BUNDLE_MAX = 16,      /* in a kubeconfig's CA bundle */
	CERTIFICATE_RSA_MIN_BITS = 2048,  /* less is not secure */
	CERTIFICATE_RSA_MAX_BITS = 8192,  /* to verify: with the exponent, 1 ms */
	CERTIFICATE_SIGN_MAX_BITS = 4096, /* to sign, which takes a hundred times as long */
	CERTIFICATE_EXPONENT_BITS = 32,   /* 65537 has 17 */
	CERTIFICATE_NAMES_MAX = 512, /* alternative names: public ones have a hundred at most */
	CERTIFICATE_CONSTRAINTS_MAX = 64, /* on names */
};

/* The key in a certificate and its names: what verifying with them may cost. */
int certificate_check(X509 *certificate, struct err *e);
/* Bounds what signing with a private key may cost. It must be of a type that certificate_check()
 * accepts. */
int certificate_check_private_key(const EVP_PKEY *key, struct err *e);

#endif
