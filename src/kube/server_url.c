#include "kube/server_url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/parse.h"

/* The normalized URL must fit into 512 bytes (sql/0001_schema.sql). */
enum { URL_MAX = 500, HOST_MAX = 253, LABEL_MAX = 63, DEFAULT_PORT = 443 };

static const char scheme[] = "https://";

static int refuse(struct err *e, const char *why)
{
	return err_set(e, ERR_INVALID, "KUBECONFIG_SERVER", "%s", why);
}

/* Whether resolvers would parse the name as an IPv4 address: its last label is a number. */
static bool ends_in_number(const char *host)
{
	const char *dot = strrchr(host, '.');
	const char *label = dot != NULL ? dot + 1 : host;

	if (label[0] == '0' && label[1] == 'x')
		return label[2 + strspn(label + 2, "0123456789abcdef")] == '\0';
	return label[strspn(label, "0123456789")] == '\0';
}

static bool is_dns_name(const char *host)
{
	for (const char *label = host;; label++) {
		size_t length = strspn(label, "abcdefghijklmnopqrstuvwxyz0123456789-");
		if (length == 0 || length > LABEL_MAX || label[0] == '-' ||
		    label[length - 1] == '-')
			return false;
		label += length;
		if (*label != '.')
			return *label == '\0';
	}
}

/* Returns the host in canonical form, without brackets; NULL if it is invalid. */
static char *canonical_host(const char *text, size_t length, bool bracketed)
{
	CLEANUP(cleanup_free) char *host = mem_strndup(text, length);
	char address[INET6_ADDRSTRLEN];
	uint8_t bytes[sizeof(struct in6_addr)];

	for (char *p = host; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	if (bracketed) {
		if (inet_pton(AF_INET6, host, bytes) != 1)
			return NULL;
		return mem_strdup(inet_ntop(AF_INET6, bytes, address, sizeof(address)));
	}
	if (length > HOST_MAX || !is_dns_name(host) ||
	    (ends_in_number(host) && inet_pton(AF_INET, host, bytes) != 1))
		return NULL;
	return STEAL(host);
}

/* Reads the host; `url` then points behind it. */
static char *take_host(const char **url)
{
	bool bracketed = **url == '[';
	const char *start = *url + bracketed;
	size_t length = strcspn(start, bracketed ? "]" : ":/");

	if (bracketed && start[length] != ']')
		return NULL;
	*url = start + length + bracketed;
	return canonical_host(start, length, bracketed);
}

/* Reads ":port", if present; `url` then points behind it. */
static bool take_port(const char **url, unsigned *ret_port)
{
	char digits[8];
	uint64_t port = DEFAULT_PORT;

	if (**url == ':') {
		size_t length = strcspn(++*url, "/");
		if (length >= sizeof(digits))
			return false;
		memcpy(digits, *url, length);
		digits[length] = '\0';
		if (!parse_u64(digits, 1, UINT16_MAX, &port))
			return false;
		*url += length;
	}
	*ret_port = (unsigned)port;
	return true;
}

/* Whether it is "" or segments of unreserved characters and ':', none empty except the last, none
 * "." or "..". */
static bool is_path(const char *path)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789-._~:";

	while (*path == '/') {
		size_t length = strspn(++path, allowed);
		if ((length == 0 && *path != '\0') || (length == 1 && path[0] == '.') ||
		    (length == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		path += length;
	}
	return *path == '\0';
}

static char *put_together(const char *host, unsigned port, const char *path)
{
	bool v6 = strchr(host, ':') != NULL;
	size_t path_length = strlen(path);
	char port_text[8] = "";

	if (path_length > 0 && path[path_length - 1] == '/')
		path_length--;
	if (port != DEFAULT_PORT)
		(void)snprintf(port_text, sizeof(port_text), ":%u", port);
	return mem_printf("%s%s%s%s%s%.*s", scheme, v6 ? "[" : "", host, v6 ? "]" : "", port_text,
			  (int)path_length, path);
}

int server_url_parse(const char *url, char **ret_server, char **ret_host, struct err *e)
{
	unsigned port;

	if (strlen(url) > URL_MAX)
		return refuse(e, "the URL is too long");
	if (strncasecmp(url, scheme, strlen(scheme)) != 0)
		return refuse(e, "must begin with https://");
	if (url[strcspn(url, "@?#")] != '\0')
		return refuse(e, "user information, query and fragment are not allowed");
	url += strlen(scheme);
	CLEANUP(cleanup_free) char *host = take_host(&url);
	if (host == NULL)
		return refuse(e, "the host is neither a DNS name nor an address");
	if (!take_port(&url, &port))
		return refuse(e, "the port is not a number from 1 to 65535");
	if (!is_path(url))
		return refuse(e, "the path has characters or segments that are not allowed");
	*ret_server = put_together(host, port, url);
	*ret_host = STEAL(host);
	return 0;
}
