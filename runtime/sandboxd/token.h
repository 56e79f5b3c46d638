#ifndef SANDBOXD_TOKEN_H
#define SANDBOXD_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* The rights that a token gives. */
enum scope {
	SCOPE_NONE = 0,
	SCOPE_TERMINAL = 1,
	SCOPE_EXEC = 2,
	SCOPE_FILES_READ = 4,
	SCOPE_FILES_WRITE = 8,
	SCOPE_PORTS = 16,
	SCOPE_USAGE = 32,
};

enum { TOKEN_MAX = 2048, ISSUER_MAX = 256, TOKEN_ID_MAX = 48 };

struct grant {
	unsigned scopes;
	int64_t expires;         /* seconds since 1970 */
	int64_t until;           /* it is exchanged once, for a cookie until then; 0: it is not */
	char id[TOKEN_ID_MAX];   /* its `jti`, by which its holder's connections are counted */
	char issuer[ISSUER_MAX]; /* the site's origin: its pages may use the token */
};

/* Takes the sandbox's secret (TTYD_ACCESS_TOKEN), from which the key of tokens follows. */
void token_init(const char *secret);
/* Checks a JWT: signature, audience, expiry. UNAUTHORIZED says which is wrong. */
int token_check(const char *token, int64_t now, struct grant *ret_grant, struct err *e);
/* The same for a token that is for the address `host` of a port, and for nothing else. */
int token_check_visit(const char *token, const char *host, int64_t now, struct grant *ret_grant,
		      struct err *e);
/* Makes such a token. The caller frees. */
char *token_make_visit(const char *host, int64_t expires);
/* Whether `given` is the `authorization` of a terminal's address: base64 of user:secret. */
bool token_is_terminals(const char *given);
/* "files:read"; NULL for none. */
const char *scope_name(enum scope scope);

#endif
