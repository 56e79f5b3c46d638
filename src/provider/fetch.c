#include "provider/fetch.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "crypto/token.h"
#include "http/client.h"

enum { CA_MAX = 4 * 1024 * 1024, FORM_MAX = 65536, TOKEN_MAX = 8192 };

struct fetcher {
	struct http_client *client;
	struct buf ca;
	struct http_trust trust;
	uint64_t timeout_ms;
};

/* The outcome of a request, which outlives the callback. */
struct outcome {
	bool done;
	json_t *object;
	long status;
	int result;
	struct err *e;
};

static const struct {
	const char *code, *message;
} failures[HTTP_FAILURE_COUNT] = {
	[HTTP_ADDRESS_FORBIDDEN] = { "PROVIDER_UNREACHABLE",
				     "is at an address that this site does not connect to" },
	[HTTP_UNREACHABLE] = { "PROVIDER_UNREACHABLE", "cannot be reached" },
	[HTTP_TIMEOUT] = { "PROVIDER_TIMEOUT", "did not answer in time" },
	[HTTP_TLS] = { "PROVIDER_UNREACHABLE", "has a certificate that is not trusted here" },
	[HTTP_COSTLY_CERTIFICATES] = { "PROVIDER_UNREACHABLE",
				       "has certificates that take too long to verify" },
	[HTTP_NO_CONTENT] = { "PROVIDER_ANSWER", "sends without answering" },
	[HTTP_TOO_LARGE] = { "PROVIDER_ANSWER", "answered more than is read" },
	[HTTP_CUT_OFF] = { "PROVIDER_ANSWER", "hung up in the middle of its answer" },
	[HTTP_PROTOCOL] = { "PROVIDER_ANSWER", "did not answer in HTTP" },
};

int fetcher_new(const struct fetcher_options *options, struct fetcher **ret_fetcher, struct err *e)
{
	struct fetcher *f = mem_calloc(1, sizeof(*f));
	const struct http_client_options http = {
		.connect_timeout_ms = options->timeout_ms,
		.allow_addresses = options->allow_addresses,
	};

	f->ca = BUF_INIT(CA_MAX);
	f->timeout_ms = options->timeout_ms;
	if (buf_read_file(&f->ca, options->ca_file, e) < 0 ||
	    http_client_new(&http, &f->client, e) < 0) {
		fetcher_free(f);
		return -1;
	}
	f->trust.ca_pem = f->ca.data;
	*ret_fetcher = f;
	return 0;
}

void fetcher_free(struct fetcher *f)
{
	if (f == NULL)
		return;
	http_client_free(f->client);
	buf_release(&f->ca);
	free(f);
}

static int refuse(struct err *e, const char *why)
{
	return err_set(e, ERR_PROVIDER, "PROVIDER_ANSWER", "%s", why);
}

/* The response is not quoted in messages: it is a stranger's, and may contain a token. */
static void take(void *user, const struct http_answer *answer)
{
	struct outcome *outcome = user;
	struct err *e = outcome->e;

	outcome->done = true;
	outcome->status = answer->status;
	outcome->result = -1;
	if (answer->failure != HTTP_OK) {
		err_set(e, ERR_PROVIDER, failures[answer->failure].code, "%s",
			failures[answer->failure].message);
		return;
	}
	json_t *object = json_loadb(answer->body, answer->length, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(object)) {
		json_decref(object);
		err_set(e, ERR_PROVIDER, "PROVIDER_ANSWER", "did not answer in JSON (status %ld)",
			answer->status);
		return;
	}
	outcome->object = object;
	outcome->result = 0;
}

/* Returns the header that authenticates a request; NULL if there is none. */
static char *authorization_of(const struct fetch *request)
{
	if (request->bearer != NULL)
		return mem_printf("Authorization: Bearer %s", request->bearer);
	if (request->basic == NULL)
		return NULL;
	char *encoded = base64_encode(request->basic, strlen(request->basic));
	char *header = mem_printf("Authorization: Basic %s", encoded);
	explicit_bzero(encoded, strlen(encoded));
	free(encoded);
	return header;
}

int fetch_json(struct fetcher *f, const struct fetch *request, json_t **ret_object,
	       long *ret_status, struct err *e)
{
	struct outcome outcome = { .e = e };
	struct http_request http = {
		.method = request->form ? "POST" : "GET",
		.url = request->url,
		.headers = { "Accept: application/json" },
		.body = request->form,
		.trust = &f->trust,
		.timeout_ms = f->timeout_ms,
		.body_max = FETCH_BODY_MAX,
	};
	size_t headers = 1;

	if (request->bearer != NULL && !fetch_is_token(request->bearer))
		return refuse(e, "gave out what cannot be a token");
	CLEANUP(cleanup_free) char *authorization = authorization_of(request);
	if (authorization != NULL)
		http.headers[headers++] = authorization;
	if (request->form != NULL)
		http.headers[headers++] = "Content-Type: application/x-www-form-urlencoded";
	http_client_submit(f->client, &http, take, &outcome);
	while (!outcome.done)
		(void)http_client_poll(f->client, (int)f->timeout_ms, -1);
	if (authorization != NULL)
		explicit_bzero(authorization, strlen(authorization));
	if (outcome.result < 0)
		return -1;
	*ret_object = outcome.object;
	*ret_status = outcome.status;
	return 0;
}

bool fetch_is_token(const char *text)
{
	size_t length = text ? strlen(text) : 0;

	for (size_t i = 0; i < length; i++) {
		if (text[i] <= 0x20 || text[i] >= 0x7f)
			return false;
	}
	return length > 0 && length <= TOKEN_MAX;
}

char *fetch_form(const char *const pairs[][2])
{
	struct buf form = BUF_INIT(FORM_MAX);

	(void)buf_append(&form, "", 0, NULL);
	for (; pairs[0][0] != NULL; pairs++) {
		if (pairs[0][1] == NULL)
			continue;
		CLEANUP(cleanup_free) char *value = http_escape(pairs[0][1]);
		const char *const words[] = { form.length > 0 ? "&" : "", pairs[0][0], "=", value };
		for (size_t i = 0; i < ARRAY_SIZE(words); i++) /* a longer one is refused there */
			(void)buf_append(&form, words[i], strlen(words[i]), NULL);
		explicit_bzero(value, strlen(value));
	}
	return form.data;
}
