/* Where a database is reached. */
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "manifest/manifest.h"

/* RFC 3986: escapes all but the unreserved characters. The caller frees. */
static char *url_escape(const char *text)
{
	static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					 "0123456789-._~";
	static const char hex[] = "0123456789ABCDEF";
	char *escaped = mem_calloc(strlen(text) + 1, 3);
	char *to = escaped;

	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;
		if (strchr(unreserved, c) != NULL) {
			*to++ = *text;
			continue;
		}
		*to++ = '%';
		*to++ = hex[c >> 4];
		*to++ = hex[c & 15];
	}
	return escaped;
}

char *manifest_database_host(const char *host, const char *namespace)
{
	return strchr(host, '.') != NULL ? mem_strdup(host)
					 : mem_printf("%s.%s.svc", host, namespace);
}

char *manifest_database_url(const char *username, const char *password, const char *host,
			    unsigned port, const char *database, const char *namespace)
{
	CLEANUP(cleanup_free) char *full_host = manifest_database_host(host, namespace);
	CLEANUP(cleanup_free) char *user = url_escape(username);
	CLEANUP(cleanup_free) char *secret = url_escape(password);
	CLEANUP(cleanup_free) char *server = url_escape(full_host);
	CLEANUP(cleanup_free) char *name = url_escape(database);

	return mem_printf(
		"postgresql://%s:%s@%s:%u/%s?schema=public", user, secret, server, port, name);
}
