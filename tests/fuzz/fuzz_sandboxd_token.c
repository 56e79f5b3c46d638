/* Tokens for sandboxd. An input that begins with '!' is a header and claims, one per line, which
 * are signed here; any other is a token, which must not be accepted, as nobody can have made a
 * valid one. */
#include "sandboxd.h"
#include "sandboxd/token.h"

enum { NOW = 1700000000, ALL = 63 };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	token_init(SECRET);
	return 0;
}

static char *sign_lines(char *header)
{
	char *claims = header;

	(void)strsep(&claims, "\n");
	return sign_token(header, claims != NULL ? claims : "");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(cleanup_free) char *text = text_of(data, size);
	bool ours = text[0] == '!';
	CLEANUP(cleanup_free) char *token = ours ? sign_lines(text + 1) : mem_strdup(text);
	struct grant grant = { 0 };
	struct err e = { 0 };

	insist(!token_is_terminals(text));
	if (token_check(token, NOW, &grant, &e) < 0) {
		insist_told(&e, ERR_UNAUTHENTICATED);
		return 0;
	}
	insist(ours && grant.expires > NOW && (grant.scopes & ~(unsigned)ALL) == 0);
	insist(strlen(grant.id) < TOKEN_ID_MAX && strlen(grant.issuer) < ISSUER_MAX);
	return 0;
}
