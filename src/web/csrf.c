#include "web/csrf.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/mem.h"

int csrf_check(const char *site, const char *origin, const char *public_origin, bool by_cookie,
	       struct err *e)
{
	bool ours;

	if (site != NULL)
		ours = strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0;
	else if (origin != NULL)
		ours = strcmp(origin, public_origin) == 0;
	else
		ours = !by_cookie;
	if (ours)
		return 0;
	return err_set(e, ERR_FORBIDDEN, "CSRF",
		       site != NULL || origin != NULL
			       ? "the request comes from another site"
			       : "a request with a session cookie must have an Origin; programs "
				 "send \"Authorization: Bearer <session>\" instead of the cookie");
}

int csrf_origin(const char *url, char **ret_origin, struct err *e)
{
	static const struct {
		const char *scheme;
		const char *default_port;
	} schemes[] = { { "https://", ":443" }, { "http://", ":80" } };

	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
		size_t scheme = strlen(schemes[i].scheme);
		if (strncasecmp(url, schemes[i].scheme, scheme) != 0)
			continue;
		size_t host = strcspn(url + scheme, "/?#");
		if (host == 0 || url[scheme] == ':' || memchr(url + scheme, '@', host) != NULL)
			break;
		char *origin = mem_strndup(url, scheme + host);
		for (char *p = origin; *p != '\0'; p++)
			*p = (char)tolower((unsigned char)*p);
		size_t port = strlen(schemes[i].default_port);
		char *end = origin + scheme + host;
		if (host > port && strcmp(end - port, schemes[i].default_port) == 0)
			end[-(ptrdiff_t)port] = '\0';
		*ret_origin = origin;
		return 0;
	}
	return err_set(e, ERR_INVALID, NULL, "\"%.200s\" is not an http or https URL", url);
}
