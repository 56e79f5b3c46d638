#include "web/session.h"

#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/mem.h"

static const char *session_cookie_name(bool secure)
{
	return secure ? "__Host-fsa" : "fsa";
}

static bool is_token(const char *text, size_t length)
{
	static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					"0123456789-_";

	return text != NULL && strlen(text) == length && strspn(text, base64url) == length;
}

static bool is_api_token(const char *text)
{
	return is_token(text, API_TOKEN_LENGTH) &&
	       strncmp(text, API_TOKEN_PREFIX, API_TOKEN_LENGTH - TOKEN_LENGTH) == 0;
}

/* RFC 6750, section 2.1. Other schemes, such as a proxy's Basic, are ignored. */
static const char *bearer(const struct request *r)
{
	static const char scheme[] = "Bearer";
	const char *header = request_variable(r, "HTTP_AUTHORIZATION");
	size_t length = sizeof(scheme) - 1;

	if (header == NULL || strncasecmp(header, scheme, length) != 0 ||
	    (header[length] != ' ' && header[length] != '\0'))
		return NULL;
	return header + length + strspn(header + length, " ");
}

int session_token(const struct request *r, bool secure, char ret_token[API_TOKEN_LENGTH + 1],
		  enum credential *ret_credential, struct err *e)
{
	const char *token = bearer(r);
	CLEANUP(cleanup_free) char *cookie = NULL;
	enum credential credential = CREDENTIAL_NONE;

	if (token == NULL)
		token = cookie = request_cookie(r, session_cookie_name(secure));
	if (is_token(token, TOKEN_LENGTH))
		credential = cookie != NULL ? CREDENTIAL_COOKIE : CREDENTIAL_BEARER;
	else if (cookie == NULL && is_api_token(token))
		credential = CREDENTIAL_API_TOKEN;
	else
		return err_set(e, ERR_UNAUTHENTICATED, NULL, "Unauthorized: please log in");
	memcpy(ret_token, token, strlen(token) + 1);
	*ret_credential = credential;
	return 0;
}

static void send_cookie(struct response *r, bool secure, bool framed, const char *value,
			unsigned long long max_age_s)
{
	CLEANUP(cleanup_free)
	char *cookie = mem_printf("%s=%s; Path=/; Max-Age=%llu; HttpOnly; SameSite=%s%s",
				  session_cookie_name(secure), value, max_age_s,
				  framed ? "None; Partitioned" : "Lax", secure ? "; Secure" : "");
	response_header(r, "Set-Cookie", cookie);
}

void session_set_cookie(struct response *r, bool secure, bool framed, const char *token,
			unsigned long long lifetime_s)
{
	send_cookie(r, secure, framed, token, lifetime_s);
}

void session_drop_cookie(struct response *r, bool secure, bool framed)
{
	send_cookie(r, secure, framed, "", 0);
}
