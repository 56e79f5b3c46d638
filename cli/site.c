#include "site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/parse.h"
#include "config.h"
#include "sites.h"

enum {
	ANSWER_MAX = 16 << 20,
	CONNECT_TIMEOUT_MS = 15000,
	TIMEOUT_MS = 60000,
	CANCELLED_MAX_MS = 10000, /* for the response to a change */
	SENDINGS_MAX = 3,         /* of a change whose response is lost */
};

void site_open_with(const char *url, const char *token, const char *ca_file, struct site *ret_site)
{
	*ret_site = (struct site) {
		.url = mem_strdup(url),
		.token = token ? mem_strdup(token) : NULL,
		.ca_file = ca_file ? mem_strdup(ca_file) : NULL,
		.curl = curl_easy_init(),
		.hint = "fsa login",
		.timeout_ms = TIMEOUT_MS,
	};
	if (ret_site->curl == NULL)
		abort(); /* out of memory */
}

int site_open(const char *wanted, struct site *ret_site, struct err *e)
{
	CLEANUP(cleanup_free) char *url = NULL;
	CLEANUP(json_decrefp) json_t *stored = NULL;
	const char *token = getenv("FSA_TOKEN");

	if (token != NULL && token[0] != '\0' && wanted != NULL) {
		if (sites_url(wanted, &url, e) < 0)
			return -1;
		site_open_with(url, token, getenv("FSA_CA_FILE"), ret_site);
		return 0;
	}
	if (sites_find(wanted, &url, &stored, e) < 0)
		return -1;
	site_open_with(url, json_string_value(json_object_get(stored, "token")),
		       json_string_value(json_object_get(stored, "caFile")), ret_site);
	return 0;
}

void site_close(struct site *site)
{
	if (site->token != NULL)
		explicit_bzero(site->token, strlen(site->token));
	free(site->token);
	free(site->url);
	free(site->ca_file);
	curl_easy_cleanup(site->curl);
	*site = (struct site) { 0 };
}

char *site_escape(const char *text)
{
	char *escaped = curl_easy_escape(NULL, text, 0);

	if (escaped == NULL)
		abort(); /* out of memory */
	char *copy = mem_strdup(escaped);
	curl_free(escaped);
	return copy;
}

/* ---- one request ----------------------------------------------------------------------------- */

static size_t take_body(char *data, size_t size, size_t count, void *user)
{
	struct exchange *x = user;
	struct err e;

	/* Only a successful response is written to the file. */
	(void)curl_easy_getinfo(x->curl, CURLINFO_RESPONSE_CODE, &x->status);
	if (x->to != NULL && x->status >= 200 && x->status < 300)
		return fwrite(data, size, count, x->to);
	x->too_large = buf_append(&x->answer, data, size * count, &e) < 0;
	return x->too_large ? 0 : size * count;
}

static void add_line(struct exchange *x, const char *line)
{
	struct curl_slist *longer = curl_slist_append(x->headers, line);

	if (longer == NULL)
		abort(); /* out of memory */
	x->headers = longer;
}

static void add_header(struct exchange *x, const char *name, const char *value)
{
	CLEANUP(cleanup_free) char *line = mem_printf("%s: %s", name, value);

	add_line(x, line);
	explicit_bzero(line, strlen(line));
}

/* 128 random bits, the same for each attempt of a request. */
static void add_idempotency_key(struct exchange *x)
{
	unsigned char bytes[16];
	char key[2 * sizeof(bytes) + 1];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		abort(); /* there is no such Linux */
	for (size_t i = 0; i < sizeof(bytes); i++)
		(void)snprintf(key + 2 * i, 3, "%02x", bytes[i]);
	add_header(x, "Idempotency-Key", key);
}

static void add_headers(const struct site *site, const struct exchange_request *r,
			struct exchange *x)
{
	add_header(x, "Accept", "application/json, application/problem+json, */*;q=0.5");
	if (r->type != NULL)
		add_header(x, "Content-Type", r->type);
	if (r->from != NULL)
		add_line(x, "Expect:"); /* do not wait for permission to send the body */
	if (site->token != NULL) {
		CLEANUP(cleanup_free) char *bearer = mem_printf("Bearer %s", site->token);
		add_header(x, "Authorization", bearer);
		explicit_bzero(bearer, strlen(bearer));
	}
	for (const char *const *line = r->headers; line != NULL && *line != NULL; line++)
		add_line(x, *line);
	if (r->repeatable)
		add_idempotency_key(x);
}

bool site_is_cancelled(const struct site *site, struct err *e)
{
	if (site->cancelled == NULL || !atomic_load(site->cancelled))
		return false;
	(void)err_set(e, ERR_UNPROCESSABLE, "INTERRUPTED", "interrupted");
	return true;
}

bool site_is_away(const struct err *e)
{
	return e->kind == ERR_UNAVAILABLE || e->kind == ERR_RATE_LIMITED;
}

/* Once it is true, it stays true when the request is repeated. */
static bool has_been_sent(struct exchange *x)
{
	curl_off_t at_us = 0;

	(void)curl_easy_getinfo(x->curl, CURLINFO_PRETRANSFER_TIME_T, &at_us);
	x->sent = x->sent || at_us > 0;
	return x->sent;
}

/* libcurl calls this at least once a second, and ends the request if it returns non-zero. */
static int is_cancelled(void *user, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	struct exchange *x = user;

	(void)a, (void)b, (void)c, (void)d;
	bool sent = has_been_sent(x);
	if (!atomic_load(x->cancelled))
		return 0;
	if (!x->awaited || !sent)
		return 1;
	if (x->cancelled_at_ms == 0)
		x->cancelled_at_ms = clock_ms();
	return clock_ms() - x->cancelled_at_ms > CANCELLED_MAX_MS ? 1 : 0;
}

static void set_cancellation(const struct site *site, struct exchange *x)
{
	x->cancelled = site->cancelled;
	if (x->cancelled == NULL)
		return;
	(void)curl_easy_setopt(x->curl, CURLOPT_NOPROGRESS, 0L);
	(void)curl_easy_setopt(x->curl, CURLOPT_XFERINFOFUNCTION, is_cancelled);
	(void)curl_easy_setopt(x->curl, CURLOPT_XFERINFODATA, x);
}

static void set_options(const struct site *site, CURL *curl)
{
	curl_easy_reset(curl);
	(void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	(void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
	(void)curl_easy_setopt(curl, CURLOPT_USERAGENT, "fsa/" PACKAGE_VERSION);
	if (site->ca_file != NULL)
		(void)curl_easy_setopt(curl, CURLOPT_CAINFO, site->ca_file);
	/* Without TLS, a proxy named in the environment would see the token. */
	if (strncmp(site->url, "http:", 5) == 0)
		(void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
}

CURL *site_connect_only(const struct site *site)
{
	CURL *curl = curl_easy_init();

	if (curl == NULL)
		abort(); /* out of memory */
	set_options(site, curl);
	(void)curl_easy_setopt(curl, CURLOPT_URL, site->url);
	(void)curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
	/* Otherwise TLS would negotiate HTTP/2. */
	(void)curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	return curl;
}

/* libcurl may ask for more than the body has. */
static size_t give_body(char *into, size_t size, size_t count, void *user)
{
	struct exchange *x = user;
	size_t wanted = size * count < x->unsent ? size * count : x->unsent;
	size_t given = fread(into, 1, wanted, x->from);

	if (given < wanted && ferror(x->from))
		return CURL_READFUNC_ABORT;
	x->unsent -= given;
	return given;
}

/* A file transfer may take any time while data flows; other requests have a time limit. */
static void set_body(const struct site *site, const struct exchange_request *r, struct exchange *x)
{
	CURL *curl = x->curl;

	if (r->from == NULL && r->to == NULL) {
		(void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, site->timeout_ms);
	} else {
		(void)curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
		(void)curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)TIMEOUT_MS / 1000);
	}
	if (r->from != NULL) {
		(void)curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
		(void)curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_body);
		(void)curl_easy_setopt(curl, CURLOPT_READDATA, x);
		(void)curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)r->length);
	} else if (r->body != NULL) {
		(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->length);
		(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, r->body);
	}
}

static size_t take_header(char *line, size_t size, size_t count, void *user)
{
	struct exchange *x = user;

	x->headers_ended = line[0] == '\r' || line[0] == '\n';
	return size * count;
}

static void prepare(const struct site *site, const struct exchange_request *r, struct exchange *x)
{
	CLEANUP(cleanup_free) char *url = mem_printf("%s%s", site->url, r->path);

	x->answer = BUF_INIT(ANSWER_MAX);
	x->to = r->to;
	x->from = r->from;
	x->unsent = r->length;
	x->awaited = r->awaited;
	add_headers(site, r, x);
	set_options(site, x->curl);
	set_cancellation(site, x);
	set_body(site, r, x);
	(void)curl_easy_setopt(x->curl, CURLOPT_URL, url);
	(void)curl_easy_setopt(x->curl, CURLOPT_CUSTOMREQUEST, r->method);
	(void)curl_easy_setopt(x->curl, CURLOPT_HTTPHEADER, x->headers);
	(void)curl_easy_setopt(x->curl, CURLOPT_ERRORBUFFER, x->said);
	(void)curl_easy_setopt(x->curl, CURLOPT_WRITEFUNCTION, take_body);
	(void)curl_easy_setopt(x->curl, CURLOPT_WRITEDATA, x);
	(void)curl_easy_setopt(x->curl, CURLOPT_HEADERFUNCTION, take_header);
	(void)curl_easy_setopt(x->curl, CURLOPT_HEADERDATA, x);
}

void exchange_begin(const struct site *site, const struct exchange_request *r,
		    struct exchange *ret_x)
{
	*ret_x = (struct exchange) { .curl = curl_easy_init() };
	if (ret_x->curl == NULL)
		abort(); /* out of memory */
	prepare(site, r, ret_x);
}

static void forget(struct exchange *x)
{
	curl_slist_free_all(x->headers);
	x->headers = NULL;
	buf_wipe(&x->answer);
}

void exchange_release(struct exchange *x)
{
	curl_easy_cleanup(x->curl);
	x->curl = NULL;
	forget(x);
}

/* libcurl (7.88) treats a response whose connection ends among its headers as complete and
 * empty. */
static CURLcode outcome(const struct exchange *x, CURLcode code)
{
	return code == CURLE_OK && !x->headers_ended ? CURLE_GOT_NOTHING : code;
}

/* Whether the request may have arrived although its response was lost. */
static bool is_lost(CURLcode code)
{
	return code == CURLE_GOT_NOTHING || code == CURLE_RECV_ERROR ||
	       code == CURLE_PARTIAL_FILE || code == CURLE_HTTP2 || code == CURLE_HTTP2_STREAM;
}

static int not_reached(const struct site *site, const struct exchange *x, CURLcode code,
		       struct err *e)
{
	if (code == CURLE_ABORTED_BY_CALLBACK && x->cancelled_at_ms != 0)
		return err_set(e, ERR_UNPROCESSABLE, "UNANSWERED",
			       "interrupted, and %s does not say what came of the request",
			       site->url);
	if (code == CURLE_ABORTED_BY_CALLBACK && site_is_cancelled(site, e))
		return -1;
	if (x->too_large)
		return err_set(e, ERR_TOO_LARGE, NULL, "%s answers with more than %d MiB",
			       site->url, ANSWER_MAX >> 20);
	if (x->to != NULL && code == CURLE_WRITE_ERROR)
		return err_set(e, ERR_INVALID, "CANNOT_WRITE",
			       "the file that came cannot be written here: is there space?");
	return err_set(e, ERR_UNAVAILABLE,
		       code == CURLE_PEER_FAILED_VERIFICATION ? "SITE_CERTIFICATE"
							      : "SITE_UNREACHABLE",
		       "%s cannot be reached: %s", site->url,
		       x->said[0] != '\0' ? x->said : curl_easy_strerror(code));
}

/* ---- the response ---------------------------------------------------------------------------- */

static const struct {
	long status;
	enum err_kind kind;
} statuses[] = {
	{ 400, ERR_INVALID },      { 401, ERR_UNAUTHENTICATED }, { 403, ERR_FORBIDDEN },
	{ 404, ERR_NOT_FOUND },    { 405, ERR_METHOD },          { 409, ERR_CONFLICT },
	{ 413, ERR_TOO_LARGE },    { 415, ERR_MEDIA_TYPE },      { 422, ERR_UNPROCESSABLE },
	{ 429, ERR_RATE_LIMITED }, { 502, ERR_UNAVAILABLE },     { 503, ERR_UNAVAILABLE },
	{ 504, ERR_UNAVAILABLE },
};

static enum err_kind kind_of(long status, const char *code)
{
	if (strcmp(code, "DATA_AT_RISK") == 0)
		return ERR_DATA_AT_RISK;
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		if (statuses[i].status == status)
			return statuses[i].kind;
	}
	return ERR_INTERNAL;
}

static int refuse_redirect(const struct site *site, const struct exchange *x, struct err *e)
{
	const char *target = NULL;

	(void)curl_easy_getinfo(x->curl, CURLINFO_REDIRECT_URL, &target);
	return err_set(e, ERR_INVALID, "SITE_REDIRECTS",
		       "%s sends elsewhere, to %s, and your token is not sent there. If that is "
		       "the site: fsa login with its address",
		       site->url, target ? target : "nowhere");
}

static int site_failed(const struct site *site, const struct exchange *x, const json_t *problem,
		       struct err *e)
{
	const char *code = json_string_value(json_object_get(problem, "errorCode"));
	const char *message = json_string_value(json_object_get(problem, "error"));

	if (x->status >= 300 && x->status < 400)
		return refuse_redirect(site, x, e);
	if (message == NULL)
		return err_set(e, kind_of(x->status, ""), NULL,
			       "%s answers with status %ld, and not as a FullStack Agent site does",
			       site->url, x->status);
	curl_off_t wait = 0;
	(void)curl_easy_getinfo(x->curl, CURLINFO_RETRY_AFTER, &wait);
	(void)err_set(e, kind_of(x->status, code ? code : ""), code, "%s", message);
	if (x->status == 401 && site->hint != NULL)
		(void)err_set(e, e->kind, code, "%s (%s %s)", message, site->hint, site->url);
	if (wait > 0 && wait < 86400)
		(void)err_set(e, e->kind, code, "%s (again in %ld s)", message, (long)wait);
	return -1;
}

int exchange_end(const struct site *site, struct exchange *x, CURLcode code, struct err *e)
{
	json_error_t where;

	(void)curl_easy_getinfo(x->curl, CURLINFO_RESPONSE_CODE, &x->status);
	code = outcome(x, code);
	if (code != CURLE_OK)
		return not_reached(site, x, code, e);
	if (x->status >= 200 && x->status < 300)
		return 0;
	CLEANUP(json_decrefp)
	json_t *problem = x->answer.length > 0
				  ? json_loadb(x->answer.data, x->answer.length, 0, &where)
				  : NULL;
	return site_failed(site, x, problem, e);
}

const char *exchange_header(const struct exchange *x, const char *name)
{
	struct curl_header *header = NULL;

	return curl_easy_header(x->curl, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK
		       ? header->value
		       : "";
}

uint64_t exchange_number(const struct exchange *x, const char *header)
{
	uint64_t number = 0;

	(void)parse_u64(exchange_header(x, header), 0, UINT64_MAX / 2, &number);
	return number;
}

bool exchange_is(const struct exchange *x, const char *header, const char *value)
{
	return strcmp(exchange_header(x, header), value) == 0;
}

static int read_answer(const struct site *site, const struct exchange *x, json_t **ret_answer,
		       struct err *e)
{
	json_error_t where;
	json_t *answer = NULL;

	if (ret_answer == NULL)
		return 0;
	if (x->answer.length > 0)
		answer = json_loadb(x->answer.data, x->answer.length, 0, &where);
	if (answer == NULL)
		return err_set(e, ERR_INTERNAL, "NOT_A_SITE",
			       "%s answers with what is not JSON: is it a FullStack Agent site?",
			       site->url);
	*ret_answer = answer;
	return 0;
}

int site_call(struct site *site, const char *method, const char *path, const json_t *body,
	      json_t **ret_answer, struct err *e)
{
	CLEANUP(cleanup_free) char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	struct exchange x = { .curl = site->curl };
	CURLcode code = CURLE_OK;
	int status;

	prepare(site,
		&(struct exchange_request) {
			.method = method,
			.path = path,
			.type = text ? "application/json" : NULL,
			.body = text,
			.length = text ? strlen(text) : 0,
			.repeatable = strcmp(method, "GET") != 0,
			.awaited = strcmp(method, "GET") != 0,
		},
		&x);
	for (int sending = 0; sending < SENDINGS_MAX; sending++) {
		buf_reset(&x.answer);
		x.said[0] = '\0';
		code = outcome(&x, curl_easy_perform(site->curl));
		if (!is_lost(code))
			break;
		x.sent = true;
	}
	status = exchange_end(site, &x, code, e);
	if (status == 0)
		status = read_answer(site, &x, ret_answer, e);
	if (text != NULL)
		explicit_bzero(text, strlen(text));
	forget(&x);
	return status;
}
