#include "kube/answer.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "base/parse.h"
#include "kube/client.h"
#include "kube/status.h"

/* `code` NULL: the kind's own. */
static const struct {
	enum err_kind kind;
	const char *code;
} transport[HTTP_FAILURE_COUNT] = {
	[HTTP_ADDRESS_FORBIDDEN] = { ERR_KUBE_UNREACHABLE, "ADDRESS_FORBIDDEN" },
	[HTTP_UNREACHABLE] = { ERR_KUBE_UNREACHABLE, NULL },
	[HTTP_TIMEOUT] = { ERR_KUBE_TIMEOUT, NULL },
	[HTTP_TLS] = { ERR_KUBE_TLS, NULL },
	[HTTP_COSTLY_CERTIFICATES] = { ERR_KUBE_TLS, "COSTLY_CERTIFICATES" },
	[HTTP_NO_CONTENT] = { ERR_KUBE_PROTOCOL, "ANSWER_WITHOUT_CONTENT" },
	[HTTP_TOO_LARGE] = { ERR_KUBE_PROTOCOL, "ANSWER_TOO_LARGE" },
	[HTTP_CUT_OFF] = { ERR_KUBE_PROTOCOL, "ANSWER_CUT_OFF" },
	[HTTP_PROTOCOL] = { ERR_KUBE_PROTOCOL, "NOT_HTTP" },
};

int kube_answer_wrap(const struct kube_expected *expected, struct err *e)
{
	return err_wrap(e, "%s %s%s%s", expected->verb, expected->plural,
			expected->name != NULL ? "/" : "", expected->name ? expected->name : "");
}

/* ---- from text to JSON ----------------------------------------------------------------------- */

static int read_json(const struct http_answer *answer, const struct kube_expected *expected,
		     json_t **ret_json, struct err *e)
{
	CLEANUP(buf_wipe) struct buf text = BUF_INIT(answer->length); /* it may be a Secret */
	size_t cost = KUBE_JSON_COST;
	size_t *cost_left = expected->cost_left != NULL ? expected->cost_left : &cost;

	if (!kube_filter(&expected->members, answer->body, answer->length, cost_left, &text))
		return err_set(e, ERR_KUBE_PROTOCOL, "ANSWER_TOO_LARGE",
			       "the answer's JSON is too deep, or takes more memory than there is "
			       "for it");
	*ret_json = json_loadb(text.data, text.length, 0, NULL);
	return *ret_json != NULL
		       ? 0
		       : err_set(e, ERR_KUBE_PROTOCOL, "NOT_JSON", "the answer is not JSON");
}

/* Its end, if it is long: as valid UTF-8. */
static json_t *read_text(const struct http_answer *answer)
{
	size_t length = answer->length < KUBE_LOG_MAX ? answer->length : KUBE_LOG_MAX;
	CLEANUP(cleanup_free) char *text = mem_calloc(1, length + 1);

	for (size_t i = 0; i < length; i++) {
		text[i] = answer->body[answer->length - length + i];
		if (text[i] == '\0')
			text[i] = '?';
	}
	parse_make_utf8(text);
	return json_string(text);
}

/* ---- checking the object --------------------------------------------------------------------- */

static const char *text_of(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));

	return text != NULL ? text : "";
}

/* A 2xx response must be an API object of the requested kind and name. */
static int check_object(const json_t *body, const struct kube_expected *expected, struct err *e)
{
	const char *kind = text_of(body, "kind");
	const char *name = text_of(json_object_get(body, "metadata"), "name");

	if (expected->foreign)
		return 0;
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
	if (expected->is_text && answer->status == 200) {
		*ret_body = read_text(answer);
		return 0;
	}
	int result = read_json(answer, expected, ret_body, e);
	if (answer->status >= 200 && answer->status <= 299) {
		if (result < 0 || check_object(*ret_body, expected, e) < 0)
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
