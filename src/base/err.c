#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct kind {
	const char *name;
	const char *title;
	int http_status;
	enum err_retry retry;
};

static const struct kind kinds[ERR_KIND_COUNT] = {
	[ERR_INVALID] = { "INVALID", "Invalid request", 400, ERR_RETRY_NEVER },
	[ERR_UNAUTHENTICATED] = { "UNAUTHENTICATED", "Not logged in", 401, ERR_RETRY_NEVER },
	[ERR_FORBIDDEN] = { "FORBIDDEN", "Not allowed", 403, ERR_RETRY_NEVER },
	[ERR_NOT_FOUND] = { "NOT_FOUND", "Not found", 404, ERR_RETRY_NEVER },
	[ERR_METHOD] = { "METHOD_NOT_ALLOWED", "Method not allowed", 405, ERR_RETRY_NEVER },
	[ERR_CONFLICT] = { "CONFLICT", "Conflict", 409, ERR_RETRY_NEVER },
	[ERR_TOO_LARGE] = { "TOO_LARGE", "Request too large", 413, ERR_RETRY_NEVER },
	[ERR_MEDIA_TYPE] = { "UNSUPPORTED_MEDIA_TYPE", "Unsupported media type", 415,
			     ERR_RETRY_NEVER },
	[ERR_UNPROCESSABLE] = { "UNPROCESSABLE", "Cannot be done", 422, ERR_RETRY_NEVER },
	[ERR_RATE_LIMITED] = { "RATE_LIMITED", "Too many requests", 429, ERR_RETRY_BACKOFF },
	[ERR_UNAVAILABLE] = { "UNAVAILABLE", "Temporarily unavailable", 503, ERR_RETRY_BACKOFF },
	[ERR_MAINTENANCE] = { "MAINTENANCE", "Under maintenance", 503, ERR_RETRY_NEVER },
	[ERR_PROVIDER] = { "PROVIDER", "The identity provider failed", 502, ERR_RETRY_NEVER },
	[ERR_INTERNAL] = { "INTERNAL", "Internal error", 500, ERR_RETRY_BACKOFF },
	[ERR_KUBE_UNAUTHORIZED] = { "KUBE_UNAUTHORIZED", "Cluster credentials refused", 502,
				    ERR_RETRY_SLOW },
	[ERR_KUBE_FORBIDDEN] = { "KUBE_FORBIDDEN", "Not permitted in the cluster", 502,
				 ERR_RETRY_SLOW },
	[ERR_KUBE_QUOTA] = { "KUBE_QUOTA", "Cluster quota exceeded", 502, ERR_RETRY_BACKOFF },
	[ERR_KUBE_BILLING] = { "KUBE_BILLING", "Suspended for debt", 502, ERR_RETRY_SLOW },
	[ERR_KUBE_ADMISSION] = { "KUBE_ADMISSION", "Refused by a cluster policy", 502,
				 ERR_RETRY_BACKOFF },
	[ERR_KUBE_INVALID] = { "KUBE_INVALID", "Object refused as invalid", 502, ERR_RETRY_SLOW },
	[ERR_KUBE_CONFLICT] = { "KUBE_CONFLICT", "Conflict in the cluster", 502,
				ERR_RETRY_BACKOFF },
	[ERR_KUBE_NOT_FOUND] = { "KUBE_NOT_FOUND", "Not found in the cluster", 502,
				 ERR_RETRY_BACKOFF },
	[ERR_KUBE_RATE_LIMITED] = { "KUBE_RATE_LIMITED", "Cluster asks to slow down", 502,
				    ERR_RETRY_BACKOFF },
	[ERR_KUBE_SERVER] = { "KUBE_SERVER", "Cluster error", 502, ERR_RETRY_BACKOFF },
	[ERR_KUBE_PROTOCOL] = { "KUBE_PROTOCOL", "Not a Kubernetes answer", 502,
				ERR_RETRY_BACKOFF },
	[ERR_KUBE_TIMEOUT] = { "KUBE_TIMEOUT", "Cluster did not answer in time", 504,
			       ERR_RETRY_BACKOFF },
	[ERR_KUBE_UNREACHABLE] = { "KUBE_UNREACHABLE", "Cluster not reachable", 502,
				   ERR_RETRY_BACKOFF },
	[ERR_KUBE_TLS] = { "KUBE_TLS", "Cluster certificate not trusted", 502, ERR_RETRY_BACKOFF },
	[ERR_POD_IMAGE] = { "POD_IMAGE", "Image cannot be pulled", 502, ERR_RETRY_BACKOFF },
	[ERR_POD_CRASH] = { "POD_CRASH", "Container keeps crashing", 502, ERR_RETRY_BACKOFF },
	[ERR_POD_UNSCHEDULABLE] = { "POD_UNSCHEDULABLE", "No node has room", 502,
				    ERR_RETRY_BACKOFF },
	[ERR_POD_MOUNT] = { "POD_MOUNT", "Volume cannot be mounted", 502, ERR_RETRY_BACKOFF },
	[ERR_POD_UNREADY] = { "POD_UNREADY", "Terminal does not answer", 502, ERR_RETRY_BACKOFF },
	[ERR_POD_REFUSED] = { "POD_REFUSED", "Pod refused by the cluster", 502, ERR_RETRY_BACKOFF },
	[ERR_DATABASE_FAILED] = { "DATABASE_FAILED", "Database failed", 502, ERR_RETRY_BACKOFF },
	[ERR_POD_TERMINATING] = { "POD_TERMINATING", "Pod does not end", 502, ERR_RETRY_BACKOFF },
	[ERR_OBJECT_HELD] = { "OBJECT_HELD", "Held by a finalizer", 502, ERR_RETRY_BACKOFF },
	[ERR_DEADLINE] = { "DEADLINE", "Took too long", 504, ERR_RETRY_BACKOFF },
	[ERR_DATA_AT_RISK] = { "DATA_AT_RISK", "Data would be lost", 409, ERR_RETRY_SLOW },
	[ERR_KUBECONFIG] = { "KUBECONFIG", "Kubeconfig cannot be used", 422, ERR_RETRY_SLOW },
};

/* Removes half of a UTF-8 sequence from the end of a truncated string. */
static void trim_partial_character(char *string)
{
	size_t length = strlen(string);
	size_t start = length;

	while (start > 0 && ((unsigned char)string[start - 1] & 0xc0) == 0x80)
		start--;
	if (start == 0 || ((unsigned char)string[start - 1] & 0x80) == 0)
		return;
	start--;
	unsigned char lead = (unsigned char)string[start];
	size_t expected = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
	if (length - start < expected)
		string[start] = '\0';
}

int err_set(struct err *e, enum err_kind kind, const char *code, const char *format, ...)
{
	va_list arguments;

	if (e == NULL)
		return -1;
	/* Written to a copy first: arguments may point into `e` itself. */
	struct err written = { .kind = kind };
	(void)snprintf(written.code, sizeof(written.code), "%s", code ? code : kinds[kind].name);
	va_start(arguments, format);
	int length = vsnprintf(written.message, sizeof(written.message), format, arguments);
	va_end(arguments);
	if (length >= (int)sizeof(written.message))
		trim_partial_character(written.message);
	*e = written;
	return -1;
}

int err_wrap(struct err *e, const char *format, ...)
{
	char context[sizeof(e->message)];
	char message[2 * sizeof(e->message) + 3];
	va_list arguments;

	if (e == NULL)
		return -1;
	va_start(arguments, format);
	(void)vsnprintf(context, sizeof(context), format, arguments);
	va_end(arguments);
	(void)snprintf(message, sizeof(message), "%s: %s", context, e->message);
	message[sizeof(e->message) - 1] = '\0';
	trim_partial_character(message);
	memcpy(e->message, message, strlen(message) + 1);
	return -1;
}

const char *err_kind_name(enum err_kind kind)
{
	return kinds[kind].name;
}

const char *err_kind_title(enum err_kind kind)
{
	return kinds[kind].title;
}

int err_kind_http_status(enum err_kind kind)
{
	return kinds[kind].http_status;
}

enum err_retry err_kind_retry(enum err_kind kind)
{
	return kinds[kind].retry;
}

bool err_kind_parse(const char *name, enum err_kind *ret_kind)
{
	for (int kind = 0; kind < ERR_KIND_COUNT; kind++) {
		if (strcmp(kinds[kind].name, name) == 0) {
			*ret_kind = (enum err_kind)kind;
			return true;
		}
	}
	return false;
}
