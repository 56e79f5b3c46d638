#ifndef FSA_CRYPTO_SANDBOXD_TOKEN_H
#define FSA_CRYPTO_SANDBOXD_TOKEN_H

#include <stdint.h>

/*
 * Tokens for sandboxd, the server inside a sandbox, which checks them without the site. Their key
 * is derived from the terminal's token, which both sides have; whoever has that can do anything in
 * the sandbox anyway. When access is revoked, the terminal's token is replaced, and older tokens
 * become invalid.
 */
struct sandboxd_token {
	const char *issuer, *subject;
	const char *scope; /* names separated by blanks (RFC 8693, section 4.2) */
	int64_t issued, expires;
	const char *host; /* it is for this address of a port only; NULL: for sandboxd's API */
	int64_t until; /* for a host: sandboxd exchanges it once, for what ends then; 0: it does not
			*/
};

/* `secret` is the terminal's token. The caller frees. */
char *sandboxd_token_make(const char *secret, const struct sandboxd_token *token);

#endif
