#include "web/request.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/parse.h"
#include "crypto/token.h"

struct request {
	const struct web_io *io;
	enum method method;
	char id[REQUEST_ID_LENGTH + 1];
	char *path;
	struct query query;
	char *body; /* wiped when freed: may contain passwords and kubeconfigs */
	size_t body_length;
};

static const char *const method_names[METHOD_COUNT] = {
	[METHOD_GET] = "GET",         [METHOD_HEAD] = "HEAD",   [METHOD_POST] = "POST",
	[METHOD_PUT] = "PUT",         [METHOD_PATCH] = "PATCH", [METHOD_DELETE] = "DELETE",
	[METHOD_OPTIONS] = "OPTIONS", [METHOD_OTHER] = "-",
};

const char *method_name(enum method method)
{
	return method_names[method];
}

static enum method find_method(const char *name)
{
	for (int m = 0; m < METHOD_OTHER; m++) {
		if (name != NULL && strcmp(method_names[m], name) == 0)
			return (enum method)m;
	}
	return METHOD_OTHER;
}

const char *request_variable(const struct request *r, const char *name)
{
	size_t length = strlen(name);

	for (char *const *v = r->io->environment; *v != NULL; v++) {
		if (strncmp(*v, name, length) == 0 && (*v)[length] == '=')
			return *v + length + 1;
	}
	return NULL;
}

static void make_id(struct request *r)
{
	const char *given = request_variable(r, "HTTP_X_REQUEST_ID");

	if (given != NULL && strlen(given) == REQUEST_ID_LENGTH &&
	    strspn(given, "0123456789abcdef") == REQUEST_ID_LENGTH) {
		memcpy(r->id, given, REQUEST_ID_LENGTH);
		return;
	}
	for (size_t at = 0; at < REQUEST_ID_LENGTH; at += 8)
		(void)snprintf(r->id + at, 9, "%08x", (unsigned)token_random_u32());
}

static int check_caps(const struct request *r, struct err *e)
{
	size_t count = 0;

	for (char *const *v = r->io->environment; *v != NULL; v++) {
		if (++count > REQUEST_VARIABLES_MAX)
			return err_set(e, ERR_TOO_LARGE, "HEADERS_TOO_LARGE",
				       "more than %d headers and variables", REQUEST_VARIABLES_MAX);
		if (strnlen(*v, REQUEST_VARIABLE_MAX + 1) > REQUEST_VARIABLE_MAX)
			return err_set(e, ERR_TOO_LARGE, "HEADERS_TOO_LARGE",
				       "a header of more than %d bytes", REQUEST_VARIABLE_MAX);
	}
	return 0;
}

/* Uses the URL as the client sent it if the web server provides that (REQUEST_URI: nginx, Apache),
 * else the two decoded variables of RFC 3875. */
static int read_path(struct request *r, struct err *e)
{
	const char *uri = request_variable(r, "REQUEST_URI");
	const char *script = request_variable(r, "SCRIPT_NAME");
	const char *info = request_variable(r, "PATH_INFO");

	if (uri == NULL && script == NULL && info == NULL)
		return err_set(e, ERR_INVALID, "INVALID_URL",
			       "neither REQUEST_URI nor SCRIPT_NAME is set: see fastcgi_params");
	CLEANUP(cleanup_free)
	char *joined = uri ? NULL : mem_printf("%s%s", script ? script : "", info ? info : "");
	const char *path = uri ? uri : joined;
	size_t length = uri ? strcspn(uri, "?") : strlen(path);
	if (length > REQUEST_PATH_MAX)
		return err_set(e, ERR_INVALID, "INVALID_URL", "a path of more than %d bytes",
			       REQUEST_PATH_MAX);
	CLEANUP(cleanup_free) char *decoded = NULL;
	if (uri == NULL && parse_is_utf8(path, length))
		decoded = mem_strdup(path);
	else if (path_decode(path, length, &decoded, e) < 0)
		return -1;
	if (decoded[0] != '/')
		return err_set(e, ERR_INVALID, "INVALID_URL", "the path does not begin with '/'");
	free(r->path);
	r->path = STEAL(decoded);
	return 0;
}

int request_read_head(const struct web_io *io, struct request **ret_request, struct err *e)
{
	struct request *r = mem_calloc(1, sizeof(*r));

	r->io = io;
	r->path = mem_strdup("");
	r->method = METHOD_OTHER;
	*ret_request = r;
	make_id(r);
	if (check_caps(r, e) < 0 || read_path(r, e) < 0)
		return -1;
	r->method = find_method(request_variable(r, "REQUEST_METHOD"));
	const char *query = request_variable(r, "QUERY_STRING");
	return query_parse(query ? query : "", &r->query, e);
}

static void drop_body(struct request *r)
{
	if (r->body != NULL)
		explicit_bzero(r->body, r->body_length);
	free(STEAL(r->body));
	r->body_length = 0;
}

void request_free(struct request *r)
{
	if (r == NULL)
		return;
	drop_body(r);
	query_clear(&r->query);
	free(r->path);
	free(r);
}

void request_freep(struct request **r)
{
	request_free(*r);
}

enum method request_method(const struct request *r)
{
	return r->method;
}

const char *request_path(const struct request *r)
{
	return r->path;
}

const struct query *request_query(const struct request *r)
{
	return &r->query;
}

const char *request_client(const struct request *r)
{
	const char *address = request_variable(r, "REMOTE_ADDR");
	struct in6_addr parsed;

	if (address == NULL || (inet_pton(AF_INET, address, &parsed) != 1 &&
				inet_pton(AF_INET6, address, &parsed) != 1))
		return NULL;
	return address;
}

bool request_is_local(const struct request *r)
{
	const char *local = request_variable(r, "FSA_LOCAL");

	return local != NULL && strcmp(local, "1") == 0;
}

const char *request_id(const struct request *r)
{
	return r->id;
}

/* RFC 6265, section 5.4: "a=1; b=2". */
char *request_cookie(const struct request *r, const char *name)
{
	const char *at = request_variable(r, "HTTP_COOKIE");
	size_t length = strlen(name);

	while (at != NULL && *at != '\0') {
		at += strspn(at, "; \t");
		size_t part = strcspn(at, ";");
		if (part > length && at[length] == '=' && strncmp(at, name, length) == 0)
			return mem_strndup(at + length + 1, part - length - 1);
		at += part;
	}
	return NULL;
}

static int content_length(const struct request *r, uint64_t *ret_length, struct err *e)
{
	const char *text = request_variable(r, "CONTENT_LENGTH");

	*ret_length = 0;
	if (text == NULL || text[0] == '\0')
		return 0;
	if (!parse_u64(text, 0, INT64_MAX, ret_length))
		return err_set(e, ERR_INVALID, "INVALID_CONTENT_LENGTH",
			       "Content-Length is not a number");
	return 0;
}

int request_read_body(struct request *r, size_t max, struct err *e)
{
	uint64_t length;

	if (content_length(r, &length, e) < 0)
		return -1;
	if (length > max)
		return err_set(
			e, ERR_TOO_LARGE, NULL,
			"the body is larger than %zu KiB as it is sent, JSON escapes included",
			max / 1024);
	drop_body(r);
	r->body = mem_calloc(length + 1, 1);
	while (r->body_length < length) {
		ssize_t got = r->io->read(r->io->user, r->body + r->body_length,
					  (size_t)length - r->body_length);
		if (got <= 0)
			return err_set(e, ERR_INVALID, "TRUNCATED_BODY",
				       "the body ends before its Content-Length");
		r->body_length += (size_t)got;
	}
	return 0;
}

const char *request_body(const struct request *r, size_t *ret_length)
{
	*ret_length = r->body_length;
	return r->body ? r->body : "";
}

int request_require_json(const struct request *r, struct err *e)
{
	static const char json[] = "application/json";
	const char *type = request_variable(r, "CONTENT_TYPE");
	size_t length = sizeof(json) - 1;

	if (r->body_length == 0)
		return 0;
	if (type == NULL || strncasecmp(type, json, length) != 0 ||
	    strchr("; \t", type[length]) == NULL)
		return err_set(e, ERR_MEDIA_TYPE, NULL, "send the body as application/json");
	/* RFC 8259, section 11, defines no parameters, but many clients send UTF-8. */
	const char *rest = type + length;
	rest += strspn(rest, "; \t");
	if (rest[0] != '\0' && strcasecmp(rest, "charset=utf-8") != 0)
		return err_set(e, ERR_MEDIA_TYPE, NULL,
			       "application/json has no parameter but charset=utf-8");
	return 0;
}
