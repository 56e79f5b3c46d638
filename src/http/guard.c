#include "http/guard.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "base/heartbeat.h"
#include "base/mem.h"
#include "http/certificate.h"

struct guard {
	unsigned references; /* of the context and of calls */
	char owner[GUARD_OWNER_MAX + 1];
	uint64_t received; /* on the wire */
	uint64_t requests, delivered;
	enum guard_verdict verdict;
	struct err err;
};

/* ---- its life ------------------------------------------------------------------------------ */

void guard_unref(struct guard *guard)
{
	if (guard != NULL && --guard->references == 0)
		free(guard);
}

static void free_with_context(void *parent, void *guard, CRYPTO_EX_DATA *data, int index,
			      long number, void *pointer)
{
	(void)parent;
	(void)data;
	(void)index;
	(void)number;
	(void)pointer;
	guard_unref(guard);
}

/* The index by which a context finds its guard. */
static int place(void)
{
	static int index = -1;

	if (index < 0)
		index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_with_context);
	return index;
}

struct guard *guard_of(SSL *ssl)
{
	struct guard *guard = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), place());

	if (guard != NULL)
		guard->references++;
	return guard;
}

/* ---- bytes --------------------------------------------------------------------------------- */

void guard_add_request(struct guard *guard)
{
	if (guard != NULL)
		guard->requests++;
}

void guard_add_body(struct guard *guard, size_t bytes)
{
	if (guard != NULL)
		guard->delivered += bytes;
}

static uint64_t allowance(const struct guard *guard)
{
	return GUARD_CONNECTION_BYTES + GUARD_REQUEST_BYTES * guard->requests + guard->delivered +
	       guard->delivered / GUARD_BODY_SHARE;
}

/* For OpenSSL, the other side appears to have closed: it reads nothing more. */
static void count_bytes(struct guard *guard, size_t bytes, SSL *ssl)
{
	heartbeat_owner(guard->owner);
	guard->received += bytes > GUARD_RECORD_BYTES ? bytes : GUARD_RECORD_BYTES;
	if (guard->received <= allowance(guard))
		return;
	if (guard->verdict == GUARD_FINE)
		guard->verdict = GUARD_NO_CONTENT;
	SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

static void see_message(int sent, int version, int type, const void *bytes, size_t length, SSL *ssl,
			void *guard)
{
	const unsigned char *header = bytes;

	(void)version;
	if (sent != 0)
		return;
	if (type == SSL3_RT_HEADER && length == SSL3_RT_HEADER_LENGTH)
		count_bytes(guard, length + ((size_t)header[3] << 8 | header[4]), ssl);
	else if (type == SSL3_RT_HANDSHAKE)
		count_bytes(guard, 0, ssl);
}

/* ---- the handshake ------------------------------------------------------------------------- */

static int check_chain(const STACK_OF(X509) * chain, struct err *e)
{
	int count = sk_X509_num(chain);

	if (count > CERTIFICATE_CHAIN_MAX)
		return err_set(e, ERR_INVALID, NULL,
			       "a chain of %d certificates: at most %d are taken", count,
			       CERTIFICATE_CHAIN_MAX);
	for (int i = 0; i < count; i++) {
		if (certificate_check(sk_X509_value(chain, i), e) < 0)
			return err_wrap(e, "certificate %d of the server's", i + 1);
	}
	return 0;
}

/* Replaces X509_verify_cert(), and calls it if the certificates are acceptable. */
static int verify(X509_STORE_CTX *store, void *user)
{
	struct guard *guard = user;

	heartbeat_owner(guard->owner);
	if (check_chain(X509_STORE_CTX_get0_untrusted(store), &guard->err) == 0)
		return X509_verify_cert(store);
	ERR_clear_error();
	guard->verdict = GUARD_COSTLY_CERTIFICATES;
	X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
	return 0;
}

/* The server could choose finite fields of any size; of curves, only four are allowed. */
static void bound_handshake(SSL_CTX *context)
{
	static const char suites[] = "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES:!aNULL";
	char groups[] = "X25519:P-256:P-384:P-521"; /* OpenSSL's macro takes no const */

	if (SSL_CTX_set_cipher_list(context, suites) != 1 ||
	    SSL_CTX_set1_groups_list(context, groups) != 1)
		abort(); /* they are part of OpenSSL */
	(void)SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	(void)SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_max_cert_list(context, CERTIFICATE_CHAIN_BYTES);
	SSL_CTX_set_verify_depth(context, CERTIFICATE_CHAIN_MAX);
}

struct guard *guard_new(SSL_CTX *context, const char *owner)
{
	struct guard *guard = mem_calloc(1, sizeof(*guard));

	guard->references = 2;
	(void)memccpy(guard->owner, owner, '\0', sizeof(guard->owner) - 1);
	if (SSL_CTX_set_ex_data(context, place(), guard) != 1)
		abort(); /* out of memory */
	SSL_CTX_set_msg_callback(context, see_message);
	(void)SSL_CTX_set_msg_callback_arg(context, guard);
	SSL_CTX_set_cert_verify_callback(context, verify, guard);
	bound_handshake(context);
	return guard;
}

/* ---- the verdict --------------------------------------------------------------------------- */

enum guard_verdict guard_verdict(const struct guard *guard)
{
	return guard != NULL ? guard->verdict : GUARD_FINE;
}

const char *guard_reason(const struct guard *guard)
{
	return guard->err.message;
}
