#include "kube/status.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"

enum { RETRY_AFTER_MAX_S = 3600 };

static const struct meaning {
	int from, to;           /* HTTP status */
	const char *reason;     /* Status.reason, or NULL: any */
	const char *text, *too; /* part of the message, or NULL: any */
	enum err_kind kind;
	const char *code; /* NULL: the kind's own */
} meanings[] = {
	{ 401, 401, NULL, NULL, NULL, ERR_KUBE_UNAUTHORIZED, NULL },

	/* Admission: 403 by default, but a webhook may choose any 4xx. */
	{ 400, 499, NULL, "admission webhook", "40001:", ERR_KUBE_BILLING, NULL },
	{ 400, 499, NULL, "40001: account balance", NULL, ERR_KUBE_BILLING, NULL },
	{ 400, 499, NULL, "admission webhook", "40300:", ERR_KUBE_ADMISSION, "INGRESS_CNAME" },
	{ 400, 499, NULL, "admission webhook", "40301:", ERR_KUBE_ADMISSION, "INGRESS_HOST_TAKEN" },
	{ 400, 499, NULL, "admission webhook", "40302:", ERR_KUBE_ADMISSION, "INGRESS_LICENCE" },
	{ 400, 499, NULL, "admission webhook", "40303:", ERR_KUBE_ADMISSION, "INGRESS_SUFFIX" },
	{ 400, 499, NULL, "admission webhook", NULL, ERR_KUBE_ADMISSION, "WEBHOOK_DENIED" },
	{ 400, 499, NULL, "ValidatingAdmissionPolicy", "denied request", ERR_KUBE_ADMISSION,
	  "POLICY_DENIED" },
	{ 403, 403, NULL, "violates PodSecurity", NULL, ERR_KUBE_ADMISSION, "POD_SECURITY" },
	{ 403, 403, NULL, "exceeded quota", NULL, ERR_KUBE_QUOTA, "QUOTA_EXCEEDED" },
	{ 403, 403, NULL, "failed quota", NULL, ERR_KUBE_QUOTA, "QUOTA_INCOMPLETE" },
	{ 403, 403, NULL, "status unknown for quota", NULL, ERR_KUBE_QUOTA, "QUOTA_UNKNOWN" },
	{ 403, 403, NULL, " usage per ", NULL, ERR_KUBE_QUOTA, "LIMIT_RANGE" },
	{ 403, 403, NULL, " limit to request ratio per ", NULL, ERR_KUBE_QUOTA, "LIMIT_RANGE" },
	{ 403, 403, NULL, "because it is being terminated", NULL, ERR_KUBE_CONFLICT,
	  "NAMESPACE_TERMINATING" },
	{ 403, 403, NULL, NULL, NULL, ERR_KUBE_FORBIDDEN, NULL },

	/* Only a Status can say that an object does not exist. Any other 404 is from some other
	 * server: objects that exist elsewhere would count as gone. */
	{ 404, 404, NULL, "could not find the requested resource", NULL, ERR_KUBE_NOT_FOUND,
	  "RESOURCE_TYPE_NOT_FOUND" },
	{ 404, 404, "", "404 page not found\n", NULL, ERR_KUBE_NOT_FOUND,
	  "RESOURCE_TYPE_NOT_FOUND" },
	{ 404, 404, "NotFound", "namespaces \"", NULL, ERR_KUBE_NOT_FOUND, "NAMESPACE_NOT_FOUND" },
	{ 404, 404, "NotFound", NULL, NULL, ERR_KUBE_NOT_FOUND, "OBJECT_NOT_FOUND" },
	{ 404, 404, NULL, NULL, NULL, ERR_KUBE_PROTOCOL, "NOT_KUBERNETES" },

	{ 409, 409, NULL, "object is being deleted", NULL, ERR_KUBE_CONFLICT, "BEING_DELETED" },
	{ 409, 409, "AlreadyExists", NULL, NULL, ERR_KUBE_CONFLICT, "ALREADY_EXISTS" },
	{ 409, 409, NULL, "UID in precondition", NULL, ERR_KUBE_CONFLICT, "UID_MISMATCH" },
	{ 409, 409, NULL, "UID in the precondition", NULL, ERR_KUBE_CONFLICT, "UID_MISMATCH" },
	{ 409, 409, NULL, "Apply failed with", NULL, ERR_KUBE_CONFLICT, "FIELD_CONFLICT" },
	{ 409, 409, NULL, NULL, NULL, ERR_KUBE_CONFLICT, NULL },
	{ 410, 410, NULL, NULL, NULL, ERR_KUBE_CONFLICT, "EXPIRED" },
	{ 408, 408, NULL, NULL, NULL, ERR_KUBE_TIMEOUT, NULL },
	{ 413, 413, NULL, NULL, NULL, ERR_KUBE_INVALID, "OBJECT_TOO_LARGE" },
	{ 429, 429, NULL, NULL, NULL, ERR_KUBE_RATE_LIMITED, NULL },
	{ 400, 499, NULL, NULL, NULL, ERR_KUBE_INVALID, NULL },

	/* Server-side apply answers 500 to some errors of the object. */
	{ 500, 500, NULL, "not declared in schema", NULL, ERR_KUBE_INVALID, "UNKNOWN_FIELD" },
	{ 500, 500, NULL, "failed to create typed patch object", NULL, ERR_KUBE_INVALID,
	  "WRONG_TYPE" },
	{ 500, 500, NULL, "failed calling webhook", NULL, ERR_KUBE_SERVER, "WEBHOOK_FAILED" },
	{ 503, 503, NULL, NULL, NULL, ERR_KUBE_SERVER, "SERVICE_UNAVAILABLE" },
	{ 504, 504, NULL, NULL, NULL, ERR_KUBE_SERVER, "SERVER_TIMEOUT" },
	{ 500, 599, NULL, NULL, NULL, ERR_KUBE_SERVER, NULL },

	{ 300, 399, NULL, NULL, NULL, ERR_KUBE_PROTOCOL, "REDIRECT" },
};

static const struct meaning unknown = { .kind = ERR_KUBE_PROTOCOL };

/* `reason` is "" if the body is no Status. */
static const struct meaning *find(long http_status, const char *reason, const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++) {
		const struct meaning *m = &meanings[i];
		if (http_status >= m->from && http_status <= m->to &&
		    (m->reason == NULL || strcmp(m->reason, reason) == 0) &&
		    (m->text == NULL || strstr(text, m->text) != NULL) &&
		    (m->too == NULL || strstr(text, m->too) != NULL))
			return m;
	}
	return &unknown;
}

static const char *member_text(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));

	return text != NULL ? text : "";
}

static unsigned retry_after(const struct kube_refusal *refusal)
{
	json_int_t seconds = refusal->retry_after_s;

	if (seconds == 0)
		seconds = json_integer_value(json_object_get(
			json_object_get(refusal->body, "details"), "retryAfterSeconds"));
	if (seconds < 0)
		return 0;
	return seconds < RETRY_AFTER_MAX_S ? (unsigned)seconds : RETRY_AFTER_MAX_S;
}

int kube_status_error(const struct kube_refusal *refusal, struct err *e)
{
	bool is_status = strcmp(member_text(refusal->body, "kind"), "Status") == 0;
	const char *text = is_status ? member_text(refusal->body, "message") : refusal->text;
	const struct meaning *m = find(refusal->http_status,
				       is_status ? member_text(refusal->body, "reason") : "", text);
	char shown[KUBE_TEXT_MAX];

	kube_status_text(text, refusal->secret, shown);
	err_set(e, m->kind, m->code, "HTTP %ld%s%s", refusal->http_status,
		shown[0] != '\0' ? ": " : "", shown);
	if (e != NULL)
		e->retry_after_s = retry_after(refusal);
	return -1;
}

/* Whether the byte is part of a control character: C0, DEL, or either byte of a C1. */
static bool is_control(const char *text, size_t at)
{
	unsigned char c = (unsigned char)text[at];

	if (c >= 0x80 && c < 0xa0)
		return at > 0 && (unsigned char)text[at - 1] == 0xc2;
	if (c == 0xc2)
		return (unsigned char)text[at + 1] < 0xa0;
	return c < ' ' || c == 0x7f;
}

void kube_status_text(const char *text, const char *secret, char ret_text[KUBE_TEXT_MAX])
{
	size_t length = strlen(text);

	ret_text[0] = '\0';
	if (secret != NULL && strstr(text, secret) != NULL) {
		(void)snprintf(ret_text, KUBE_TEXT_MAX, "(not shown: it repeats the credentials)");
		return;
	}
	if (length >= KUBE_TEXT_MAX)
		length = KUBE_TEXT_MAX - 1;
	while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
		length--; /* not within a character */
	if (!parse_is_utf8(text, length))
		return;
	memcpy(ret_text, text, length);
	for (size_t i = 0; i < length; i++) {
		if (is_control(text, i))
			ret_text[i] = ' ';
	}
	while (length > 0 && ret_text[length - 1] == ' ')
		length--;
	ret_text[length] = '\0';
}
