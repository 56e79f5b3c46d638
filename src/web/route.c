#include "web/route.h"

#include <ctype.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/parse.h"
#include "web/field_schema.h"
#include "web/json.h"

static bool take_param(const char *text, size_t length, char *ret_param)
{
	if (length != STORE_ID_LENGTH)
		return false;
	for (size_t i = 0; i < length; i++)
		ret_param[i] = (char)tolower((unsigned char)text[i]);
	ret_param[length] = '\0';
	return parse_is_uuid(ret_param);
}

static bool matches(const char *pattern, const char *path,
		    char params[ROUTE_PARAMS_MAX][STORE_ID_LENGTH + 1])
{
	size_t count = 0;

	while (*pattern == '/' && *path == '/') {
		size_t wanted = strcspn(++pattern, "/");
		size_t given = strcspn(++path, "/");
		if (*pattern == ':') {
			if (count == ROUTE_PARAMS_MAX || !take_param(path, given, params[count++]))
				return false;
		} else if (wanted != given || memcmp(pattern, path, given) != 0) {
			return false;
		}
		pattern += wanted;
		path += given;
	}
	return *pattern == '\0' && *path == '\0';
}

static unsigned methods_of(const struct route *route)
{
	unsigned methods = 1U << route->method | 1U << METHOD_OPTIONS;

	return route->method == METHOD_GET ? methods | 1U << METHOD_HEAD : methods;
}

int route_find(const struct route *routes, enum method method, const char *path,
	       struct route_match *ret_match, struct err *e)
{
	enum method wanted = method == METHOD_HEAD ? METHOD_GET : method;

	memset(ret_match, 0, sizeof(*ret_match));
	for (const struct route *route = routes; route->pattern != NULL; route++) {
		char params[ROUTE_PARAMS_MAX][STORE_ID_LENGTH + 1] = { "" };
		if (!matches(route->pattern, path, params))
			continue;
		ret_match->methods |= methods_of(route);
		if (route->method == wanted && ret_match->route == NULL) {
			ret_match->route = route;
			memcpy(ret_match->params, params, sizeof(params));
		}
	}
	if (ret_match->route != NULL)
		return 0;
	if (ret_match->methods != 0)
		return err_set(e, ERR_METHOD, NULL, "this path does not take %s",
			       method == METHOD_OTHER ? "this method" : method_name(method));
	return err_set(e, ERR_NOT_FOUND, NULL, "there is nothing at this path");
}

char *route_allow(unsigned methods)
{
	struct buf allow = BUF_INIT(256);

	for (int m = 0; m < METHOD_OTHER; m++) {
		if ((methods & 1U << m) == 0)
			continue;
		const char *name = method_name((enum method)m);
		if (allow.length > 0)
			(void)buf_append(&allow, ", ", 2, NULL);
		(void)buf_append(&allow, name, strlen(name), NULL);
	}
	(void)buf_append(&allow, "", 0, NULL);
	return allow.data;
}

const char *route_param(const struct route *route, const char *const *params, const char *name)
{
	size_t index = 0;
	size_t length = strlen(name);

	for (const char *p = strchr(route->pattern, ':'); p != NULL; p = strchr(p + 1, ':')) {
		if (strncmp(p + 1, name, length) == 0 && (p[length + 1] == '/' || !p[length + 1]))
			return params[index];
		index++;
	}
	return NULL;
}

static const char *const auth_names[] = {
	[ROUTE_OPEN] = "none",
	[ROUTE_SESSION] = "session",
	[ROUTE_VISITOR] = "visitor",
	[ROUTE_LOCAL] = "local",
};

void routes_print(const struct route *routes, FILE *out)
{
	for (const struct route *route = routes; route->pattern != NULL; route++) {
		CLEANUP(json_decrefp)
		json_t *row = json_pack("{s:s, s:s, s:s, s:b, s:b, s:b}", "method",
					method_name(route->method), "pattern", route->pattern,
					"auth", auth_names[route->auth], "mutation",
					(route->flags & ROUTE_CHANGES) != 0, "transaction",
					(route->flags & ROUTE_TRANSACTION) != 0, "idempotent",
					(route->flags & ROUTE_IDEMPOTENT) != 0);
		if (strstr(route->pattern, ":projectId") != NULL)
			json_object_set_new(row, "role",
					    json_string(project_role_name(route->role)));
		if (route->body != NULL)
			json_object_set_new(row, "body", fields_schema(route->body));
		if (route->query != NULL)
			json_object_set_new(row, "query", fields_schema(route->query));
		json_dumpf(row, out, JSON_COMPACT);
		(void)fputc('\n', out);
	}
}
