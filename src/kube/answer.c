#include "kube/answer.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "kube/status.h"

/* Codes NULL: the kind's own. */
static const struct {
	enum err_kind kind;
	const char *code;
} transport[HTTP_FAILURE_COUNT] = {
	[HTTP_ADDRESS_FORBIDDEN] = { ERR_KUBE_UNREACHABLE, "ADDRESS_FORBIDDEN" },
	[HTTP_UNREACHABLE] = { ERR_KUBE_UNREACHABLE, NULL },
	[HTTP_TIMEOUT] = { ERR_KUBE_TIMEOUT, NULL },
	[HTTP_TLS] = { ERR_KUBE_TLS, NULL },
	[HTTP_TOO_LARGE] = { ERR_KUBE_PROTOCOL, "ANSWER_TOO_LARGE" },
	[HTTP_CUT_OFF] = { ERR_KUBE_PROTOCOL, "ANSWER_CUT_OFF" },
	[HTTP_PROTOCOL] = { ERR_KUBE_PROTOCOL, "NOT_HTTP" },
};

int kube_answer_wrap(const struct kube_expected *expected, struct err *e)
{
	return err_wrap(e, "%s %s%s%s", expected->verb, expected->plural,
			expected->name != NULL ? "/" : "", expected->name ? expected->name : "");
}

/* The bracket that closes an array of which `at` is the first byte; `end`: none does. */
static const char *array_end(const char *at, const char *end)
{
	size_t depth = 1;
	bool in_string = false;

	for (; at < end; at++) {
		if (in_string && *at == '\\' && at + 1 < end)
			at++;
		else if (*at == '"')
			in_string = !in_string;
		else if (!in_string && *at == '[')
			depth++;
		else if (!in_string && *at == ']' && --depth == 0)
			return at;
	}
	return end;
}

/* Adds the answer without who manages which fields: that is most of what an API server tells of an
 * object, and nobody here reads it. An escaped quote is the end of another name. */
static void add_readable(struct buf *b, const char *text, size_t length)
{
	static const char managed[] = "\"managedFields\":[";
	const char *from = text, *end = text + length, *found;

	while ((found = memmem(from, (size_t)(end - from), managed, strlen(managed))) != NULL) {
		const char *items = found + strlen(managed);
		(void)buf_append(b, from, (size_t)(items - from), NULL);
		from = found > text && found[-1] == '\\' ? items : array_end(items, end);
	}
	(void)buf_append(b, from, (size_t)(end - from), NULL);
}

/* Counts without building: false if it is deeper or costs more than we take. */
static bool is_sane(const char *text, size_t length, size_t *cost_left)
{
	size_t depth = 0, cost = 1;
	bool in_string = false;

	for (size_t i = 0; i < length; i++) {
		char c = text[i];
		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
			continue;
		}
		in_string = c == '"';
		cost += c == ',' ? 1 : c == '[' || c == '{' ? 5 : 0; /* with its first value */
		if (c == '[' || c == '{')
			depth++;
		else if ((c == ']' || c == '}') && depth > 0)
			depth--;
		if (depth > KUBE_JSON_DEPTH || cost > *cost_left)
			return false;
	}
	*cost_left -= cost;
	return true;
}

static json_t *read_json(const struct http_answer *answer, size_t *cost_left)
{
	CLEANUP(buf_wipe) struct buf text = BUF_INIT(answer->length); /* it may be a Secret */
	size_t of_one = KUBE_JSON_COST;

	add_readable(&text, answer->body, answer->length);
	if (!is_sane(text.data, text.length, cost_left != NULL ? cost_left : &of_one))
		return NULL;
	return json_loadb(text.data, text.length, 0, NULL);
}

static const char *text_of(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));

	return text != NULL ? text : "";
}

/* A 2xx must be an object of the API, of the kind and name that was asked for. */
static int check_object(const json_t *body, const struct kube_expected *expected, struct err *e)
{
	const char *kind = text_of(body, "kind");
	const char *name = text_of(json_object_get(body, "metadata"), "name");

	if (body == NULL)
		return err_set(e, ERR_KUBE_PROTOCOL, "NOT_JSON",
			       "the answer is not JSON, or not of a sane size");
	if (kind[0] == '\0' || text_of(body, "apiVersion")[0] == '\0')
		return err_set(e, ERR_KUBE_PROTOCOL, "NOT_KUBERNETES",
			       "the answer is not an object of a Kubernetes API");
	if (expected->kind == NULL)
		return 0;
	if (strcmp(kind, expected->kind) != 0 ||
	    (expected->name != NULL && strcmp(name, expected->name) != 0))
		return err_set(e, ERR_KUBE_PROTOCOL, "OTHER_OBJECT",
			       "the answer is another object than was asked for");
	return 0;
}

int kube_answer_read(const struct http_answer *answer, const struct kube_expected *expected,
		     json_t **ret_body, struct err *e)
{
	char shown[KUBE_TEXT_MAX];

	*ret_body = NULL;
	if (answer->failure != HTTP_OK) {
		kube_status_text(answer->message, expected->secret, shown);
		err_set(e, transport[answer->failure].kind, transport[answer->failure].code, "%s",
			shown);
		return kube_answer_wrap(expected, e);
	}
	*ret_body = read_json(answer, expected->cost_left);
	if (answer->status >= 200 && answer->status <= 299) {
		if (check_object(*ret_body, expected, e) < 0)
			return kube_answer_wrap(expected, e);
		return 0;
	}
	const struct kube_refusal refusal = { .http_status = answer->status,
					      .body = *ret_body,
					      .text = answer->body,
					      .retry_after_s = answer->retry_after_s,
					      .secret = expected->secret };
	kube_status_error(&refusal, e);
	return kube_answer_wrap(expected, e);
}
