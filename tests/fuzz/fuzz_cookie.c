/* The head of a request: cookies, Authorization, URL, address, one per line of the input. */
#include "fuzz.h"
#include "web/csrf.h"
#include "web/request.h"
#include "web/session.h"

enum { VARIABLES = 7 };

static const char *const names[VARIABLES] = {
	"HTTP_COOKIE", "HTTP_AUTHORIZATION",  "REQUEST_URI",       "HTTP_ORIGIN",
	"REMOTE_ADDR", "HTTP_SEC_FETCH_SITE", "HTTP_X_REQUEST_ID",
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	crypto_init();
	return 0;
}

static void check_session(const struct request *r, bool secure)
{
	static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					"0123456789-_";
	const char *cookies = request_variable(r, "HTTP_COOKIE");
	const char *authorization = request_variable(r, "HTTP_AUTHORIZATION");
	char token[API_TOKEN_LENGTH + 1];
	enum credential credential = CREDENTIAL_NONE;
	struct err e = { 0 };

	if (session_token(r, secure, token, &credential, &e) < 0) {
		insist_told(&e, ERR_UNAUTHENTICATED);
		return;
	}
	size_t length = credential == CREDENTIAL_API_TOKEN ? API_TOKEN_LENGTH : TOKEN_LENGTH;
	insist(strlen(token) == length && strspn(token, base64url) == length);
	/* Credentials that a page can make a browser send are recognized as such. */
	const char *carrier = credential == CREDENTIAL_COOKIE ? cookies : authorization;
	insist(carrier != NULL && strstr(carrier, token) != NULL);
	if (credential != CREDENTIAL_COOKIE)
		insist(strncasecmp(authorization, "Bearer ", 7) == 0);
}

static void check_head(const struct request *r)
{
	const char *path = request_path(r);
	const char *client = request_client(r);

	insist(path[0] == '/' && parse_is_utf8(path, strlen(path)));
	insist(strlen(request_id(r)) == REQUEST_ID_LENGTH);
	insist(client == NULL || strspn(client, "0123456789abcdefABCDEF.:") == strlen(client));
}

static void check_site(const struct request *r)
{
	const char *site = request_variable(r, "HTTP_SEC_FETCH_SITE");
	const char *origin = request_variable(r, "HTTP_ORIGIN");
	struct err e = { 0 };

	if (csrf_check(site, origin, "https://fsa.test", true, &e) < 0)
		insist_told(&e, ERR_FORBIDDEN);
	else
		insist(site != NULL ? strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0
				    : origin != NULL && strcmp(origin, "https://fsa.test") == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(cleanup_free) char *text = text_of(data, size);
	CLEANUP(request_freep) struct request *r = NULL;
	char *environment[VARIABLES + 1] = { NULL };
	struct web_io io = { .environment = environment };
	struct err e = { 0 };
	char *rest = text;

	for (size_t i = 0; i < VARIABLES && rest != NULL; i++)
		environment[i] = mem_printf("%s=%s", names[i], strsep(&rest, "\n"));
	if (request_read_head(&io, &r, &e) < 0) {
		insist(e.kind == ERR_INVALID || e.kind == ERR_TOO_LARGE);
		insist_told(&e, e.kind);
	} else {
		check_head(r);
	}
	check_session(r, false);
	check_session(r, true);
	check_site(r);
	for (size_t i = 0; i < VARIABLES; i++)
		free(environment[i]);
	return 0;
}
