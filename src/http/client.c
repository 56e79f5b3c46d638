#include "http/client.h"

#include <ctype.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <curl/curl.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/heartbeat.h"
#include "base/mem.h"
#include "http/address.h"
#include "http/call.h"
#include "http/guard.h"

enum {
	/* Each user with a client certificate needs a connection, and over HTTP/1.1 so does each
	 * request that hangs; these must not hold up those of others. */
	CONNECTIONS_PER_HOST = 64,
	IDLE_CONNECTIONS = 256,
	RETRY_AFTER_MAX_S = 3600,
	/* for a refusal of a request whose response would have been streamed */
	REFUSAL_BYTES_MAX = 65536,
};

TAILQ_HEAD(call_list, call);

struct http_client {
	CURLM *multi;
	struct address_policy *policy;
	uint64_t connect_timeout_ms;
	char *ca_file;
	void (*refused)(const char *url, const char *address, const char *what);
	struct call_list flying;
	struct call_list unsent; /* handled at the next poll */
	size_t pending;
	uint64_t submitted;
	bool took; /* something was taken since the poll began */
};

/* ---- its connection ------------------------------------------------------------------------ */

static void set_guard(struct call *call, struct guard *guard)
{
	guard_unref(call->guard);
	call->guard = guard;
}

/* Called before the handshake of a connection opened for `user`. */
static CURLcode begin_tls(CURL *easy, void *context, void *user)
{
	struct call *call = user;

	(void)easy;
	if (++call->handshakes > CALL_HANDSHAKES_MAX)
		return CURLE_SSL_CONNECT_ERROR;
	set_guard(call, guard_new(context, call->owner));
	return CURLE_OK;
}

/* Finds the guard of the connection used, which may have been opened for another request. */
static void find_guard(struct call *call)
{
	const struct curl_tlssessioninfo *info = NULL;

	if (curl_easy_getinfo(call->easy, CURLINFO_TLS_SSL_PTR, &info) == CURLE_OK &&
	    info->internals != NULL)
		set_guard(call, guard_of(info->internals));
	guard_add_request(call->guard);
}

/* ---- one request --------------------------------------------------------------------------- */

/* Passes on a part of a streamed response, which is not kept. */
static size_t take_part(struct call *call, const char *data, size_t length)
{
	/* A server can send each part in its own TLS record, and a small record costs as much as a
	 * large one. */
	size_t counted = length > GUARD_RECORD_BYTES ? length : GUARD_RECORD_BYTES;

	guard_add_body(call->guard, counted);
	call->client->took = true;
	call->taken += counted;
	call->too_large = call->taken > call->take_max;
	return !call->too_large && call->take(call->user, data, length) ? length : 0;
}

static size_t take_body(char *data, size_t size, size_t count, void *user)
{
	struct call *call = user;

	if (call->streams)
		return take_part(call, data, size * count);
	call->over_budget =
		call->reserve_bytes != NULL && !call->reserve_bytes(call->user, size * count);
	call->too_large =
		call->over_budget || buf_append(&call->body, data, size * count, NULL) < 0;
	guard_add_body(call->guard, size * count);
	return call->too_large ? 0 : size * count;
}

/* Whether a header line names a coding other than chunks. libcurl would decode that, although
 * nobody asked for it: 6 KB of zstd can become 200 MB, and take 128 MB to decode. */
static bool says_coded(const char *line, size_t length)
{
	static const char name[] = "Transfer-Encoding:", chunked[] = "chunked";

	if (length < sizeof(name) - 1 || strncasecmp(line, name, sizeof(name) - 1) != 0)
		return false;
	const char *value = line + sizeof(name) - 1, *end = line + length;
	while (value < end && (*value == ' ' || *value == '\t'))
		value++;
	while (end > value && isspace((unsigned char)end[-1]))
		end--;
	return (size_t)(end - value) != sizeof(chunked) - 1 ||
	       strncasecmp(value, chunked, sizeof(chunked) - 1) != 0;
}

/* The head is complete: returns whether the request continues. */
static bool begin_stream(struct call *call)
{
	long status = 0;

	(void)curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	call->streams = call->take != NULL && status == 200;
	call->client->took = call->client->took || call->streams;
	return !call->streams || call->take(call->user, "", 0);
}

/* libcurl would accept a truncated head as complete. */
static size_t take_header(char *line, size_t size, size_t count, void *user)
{
	struct call *call = user;

	(void)size;
	call->head_complete = count > 0 && (line[0] == '\r' || line[0] == '\n');
	call->head_bytes += count;
	call->coded = call->coded || says_coded(line, count);
	if (call->head_bytes > HEAD_MAX_BYTES || call->coded)
		return 0;
	return !call->head_complete || begin_stream(call) ? count : 0;
}

static void report_refused(const struct call *call, const struct curl_sockaddr *address)
{
	char host[NI_MAXHOST] = "";
	char *url = NULL;

	if (call->client->refused == NULL)
		return;
	(void)getnameinfo(&address->addr, address->addrlen, host, sizeof(host), NULL, 0,
			  NI_NUMERICHOST);
	(void)curl_easy_getinfo(call->easy, CURLINFO_EFFECTIVE_URL, &url);
	call->client->refused(url != NULL ? url : "", host, call->refusal);
}

/* The only place where connections begin: every resolved address passes through here. */
static curl_socket_t open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct call *call = user;
	unsigned timeout_ms = (unsigned)call->client->connect_timeout_ms;

	(void)purpose;
	heartbeat_owner(call->owner);
	call->refusal = address_policy_refusal(call->client->policy, &address->addr);
	if (call->refusal != NULL) {
		report_refused(call, address);
		return CURL_SOCKET_BAD;
	}
	int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
	/* Without this, a shared connection whose other end is gone would swallow request after
	 * request until TCP gives up, a quarter of an hour later. */
	if (fd >= 0)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms,
				 sizeof(timeout_ms));
	return fd;
}

/* libcurl reads the time once for a whole round of requests. If the process is stopped in between,
 * the rest of the round would be sent however late it is. So the clock is read before each head and
 * each body: a server does not act on half a request. */
static bool is_late(const struct call *call)
{
	return clock_ms() >= call->deadline_ms;
}

static int may_send(void *user, char *remote, char *local, int remote_port, int local_port)
{
	(void)remote;
	(void)local;
	(void)remote_port;
	(void)local_port;
	find_guard(user);
	return is_late(user) ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static size_t give_body(char *data, size_t size, size_t count, void *user)
{
	struct call *call = user;
	size_t capacity = size * count;
	size_t left = strlen(call->sending + call->sent);
	size_t length = left < capacity ? left : capacity;

	if (is_late(call))
		return CURL_READFUNC_ABORT;
	memcpy(data, call->sending + call->sent, length);
	call->sent += length;
	return length;
}

/* Sends the body again from the beginning, on another connection. */
static int rewind_body(void *user, curl_off_t offset, int origin)
{
	struct call *call = user;

	if (origin != SEEK_SET || offset < 0 || (size_t)offset > strlen(call->sending))
		return CURL_SEEKFUNC_FAIL;
	call->sent = (size_t)offset;
	return CURL_SEEKFUNC_OK;
}

/* For the setters: the first failure counts, and later settings are skipped. */
#define SET(call, option, value)                                                                   \
	((call)->setup = (call)->setup != CURLE_OK                                                 \
				 ? (call)->setup                                                   \
				 : curl_easy_setopt((call)->easy, (option), (value)))

static void set_transport(struct call *call)
{
	SET(call, CURLOPT_PROTOCOLS_STR, "https");
	SET(call, CURLOPT_FOLLOWLOCATION, 0L);
	SET(call, CURLOPT_PROXY, "");
	SET(call, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(call, CURLOPT_NOSIGNAL, 1L);
	/* A resolver thread that hangs is left behind, not waited for. */
	SET(call, CURLOPT_QUICK_EXIT, 1L);
	SET(call, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	SET(call, CURLOPT_PIPEWAIT, 1L);
	SET(call, CURLOPT_CONNECTTIMEOUT_MS, (long)call->client->connect_timeout_ms);
	SET(call, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	SET(call, CURLOPT_OPENSOCKETDATA, call);
	SET(call, CURLOPT_PREREQFUNCTION, may_send);
	SET(call, CURLOPT_PREREQDATA, call);
}

static struct curl_blob blob(const char *pem)
{
	/* libcurl's interface is not const, but with NOCOPY it only reads */
	union {
		const char *in;
		void *out;
	} data = { .in = pem };

	return (struct curl_blob) { data.out, strlen(pem), CURL_BLOB_NOCOPY };
}

static void set_trust(struct call *call, const struct http_trust *trust)
{
	SET(call, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(call, CURLOPT_SSL_VERIFYPEER, 1L);
	SET(call, CURLOPT_SSL_VERIFYHOST, 2L);
	SET(call, CURLOPT_SSL_CTX_FUNCTION, begin_tls);
	SET(call, CURLOPT_SSL_CTX_DATA, call);
	SET(call, CURLOPT_SSL_SESSIONID_CACHE, 0L); /* it would grow with each request */
	/* Otherwise the machine's own CAs would be trusted, too. */
	SET(call, CURLOPT_CAPATH, NULL);
	if (trust->ca_pem != NULL) {
		struct curl_blob ca = blob(trust->ca_pem);
		SET(call, CURLOPT_CAINFO_BLOB, &ca);
	} else {
		SET(call, CURLOPT_CAINFO, call->client->ca_file);
	}
	if (trust->certificate_pem == NULL)
		return;
	struct curl_blob certificate = blob(trust->certificate_pem), key = blob(trust->key_pem);
	SET(call, CURLOPT_SSLCERT_BLOB, &certificate);
	SET(call, CURLOPT_SSLCERTTYPE, "PEM");
	SET(call, CURLOPT_SSLKEY_BLOB, &key);
	SET(call, CURLOPT_SSLKEYTYPE, "PEM");
}

static void add_header(struct call *call, const char *header)
{
	struct curl_slist *list = curl_slist_append(call->headers, header);

	if (list == NULL)
		call->setup = CURLE_OUT_OF_MEMORY;
	else
		call->headers = list;
}

static void set_body(struct call *call, const char *body)
{
	call->sending = mem_strdup(body);
	SET(call, CURLOPT_POST, 1L);
	SET(call, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
	SET(call, CURLOPT_READFUNCTION, give_body);
	SET(call, CURLOPT_READDATA, call);
	SET(call, CURLOPT_SEEKFUNCTION, rewind_body);
	SET(call, CURLOPT_SEEKDATA, call);
}

static void set_request(struct call *call, const struct http_request *request)
{
	add_header(call, "Expect:"); /* no waiting for 100 Continue */
	for (size_t i = 0; i < HTTP_HEADERS_MAX && request->headers[i] != NULL; i++)
		add_header(call, request->headers[i]);
	SET(call, CURLOPT_URL, request->url);
	SET(call, CURLOPT_HTTPHEADER, call->headers);
	SET(call, CURLOPT_USERAGENT, "fullstack-agent");
	if (request->body != NULL)
		set_body(call, request->body);
	SET(call, CURLOPT_CUSTOMREQUEST, request->method);
	SET(call, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
	SET(call, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)request->body_max);
	SET(call, CURLOPT_HEADERFUNCTION, take_header);
	SET(call, CURLOPT_HEADERDATA, call);
	SET(call, CURLOPT_WRITEFUNCTION, take_body);
	SET(call, CURLOPT_WRITEDATA, call);
	SET(call, CURLOPT_ERRORBUFFER, call->error);
	SET(call, CURLOPT_PRIVATE, call);
}

static void free_call(struct call *call)
{
	curl_easy_cleanup(call->easy);
	curl_slist_free_all(call->headers);
	if (call->sending != NULL)
		explicit_bzero(call->sending, strlen(call->sending)); /* it may be a Secret */
	free(call->sending);
	buf_wipe(&call->body); /* so may a response */
	guard_unref(call->guard);
	free(call);
}

struct call *http_client_submit(struct http_client *client, const struct http_request *request,
				http_done_fn *done, void *user)
{
	struct call *call = mem_calloc(1, sizeof(*call));

	call->client = client;
	call->done = done;
	call->user = user;
	call->take_max = request->body_max;
	call->body.max = request->body_max;
	if (request->take != NULL && call->body.max > REFUSAL_BYTES_MAX)
		call->body.max = REFUSAL_BYTES_MAX;
	call->reserve_bytes = request->reserve_bytes;
	call->take = request->take;
	if (request->owner != NULL)
		(void)memccpy(call->owner, request->owner, '\0', sizeof(call->owner) - 1);
	call->deadline_ms = clock_ms() + request->timeout_ms;
	call->easy = curl_easy_init();
	call->setup = call->easy != NULL ? CURLE_OK : CURLE_FAILED_INIT;
	set_transport(call);
	set_trust(call, request->trust);
	set_request(call, request);
	if (call->setup == CURLE_OK && curl_multi_add_handle(client->multi, call->easy) != CURLM_OK)
		call->setup = CURLE_FAILED_INIT;
	if (call->setup == CURLE_OK)
		TAILQ_INSERT_TAIL(&client->flying, call, link);
	else
		TAILQ_INSERT_TAIL(&client->unsent, call, link);
	client->pending++;
	client->submitted++;
	return call;
}

void http_client_cancel(struct call *call)
{
	struct http_client *client = call->client;

	if (call->setup == CURLE_OK) {
		TAILQ_REMOVE(&client->flying, call, link);
		(void)curl_multi_remove_handle(client->multi, call->easy);
	} else {
		TAILQ_REMOVE(&client->unsent, call, link);
	}
	client->pending--;
	free_call(call);
}

/* ---- its end ------------------------------------------------------------------------------- */

static unsigned retry_after(CURL *easy)
{
	curl_off_t seconds = 0;

	if (curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &seconds) != CURLE_OK || seconds < 0)
		return 0;
	return seconds < RETRY_AFTER_MAX_S ? (unsigned)seconds : RETRY_AFTER_MAX_S;
}

static time_t date_of(CURL *easy)
{
	struct curl_header *header = NULL;

	if (curl_easy_header(easy, "Date", 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
		return 0;
	time_t date = curl_getdate(header->value, NULL);
	return date > 0 ? date : 0;
}

/* `call` is in no list any more. */
static void finish(struct call *call, CURLcode code)
{
	struct http_answer answer = { 0 };

	if (call->setup == CURLE_OK) {
		(void)curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &answer.status);
		answer.retry_after_s = retry_after(call->easy);
		answer.date = date_of(call->easy);
		(void)curl_multi_remove_handle(call->client->multi, call->easy);
	}
	answer.failure = call_failure(call, code, answer.status);
	CLEANUP(cleanup_free) char *message = call_failure_message(call, answer.failure, code);
	answer.message = message;
	answer.body = call->body.data != NULL ? call->body.data : "";
	answer.length = call->body.length;
	answer.handshakes = call->handshakes;
	call->client->pending--;
	call->done(call->user, &answer);
	free_call(call);
}

static size_t finish_unsent(struct http_client *client)
{
	struct call_list batch = TAILQ_HEAD_INITIALIZER(batch);
	size_t count = 0;

	TAILQ_CONCAT(&batch, &client->unsent, link); /* callbacks may submit */
	for (struct call *call; (call = TAILQ_FIRST(&batch)) != NULL; count++) {
		TAILQ_REMOVE(&batch, call, link);
		finish(call, call->setup);
	}
	return count;
}

static size_t finish_done(struct http_client *client)
{
	const CURLMsg *message;
	size_t count = 0;
	int left;

	while ((message = curl_multi_info_read(client->multi, &left)) != NULL) {
		CURLcode code = message->data.result;
		struct call *call = NULL;
		if (message->msg != CURLMSG_DONE ||
		    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call) != CURLE_OK)
			continue;
		TAILQ_REMOVE(&client->flying, call, link);
		finish(call, code);
		count++;
	}
	return count;
}

/* ---- all of them --------------------------------------------------------------------------- */

size_t http_client_poll(struct http_client *client, int timeout_ms, int wake_fd)
{
	struct curl_waitfd wake = { .fd = wake_fd, .events = CURL_WAIT_POLLIN };
	int64_t deadline = (int64_t)clock_ms() + timeout_ms;
	size_t done = finish_unsent(client);

	client->took = false;
	for (;;) {
		int running;
		(void)curl_multi_perform(client->multi, &running);
		done += finish_done(client);
		heartbeat_beat();
		int64_t left = deadline - (int64_t)clock_ms();
		if (done > 0 || client->took || left <= 0 || wake.revents != 0 ||
		    (client->pending == 0 && wake_fd < 0))
			return done;
		(void)curl_multi_poll(client->multi, &wake, wake_fd >= 0 ? 1 : 0, (int)left, NULL);
	}
}

size_t http_client_pending(const struct http_client *client)
{
	return client->pending;
}

uint64_t http_client_submitted(const struct http_client *client)
{
	return client->submitted;
}

int http_client_new(const struct http_client_options *options, struct http_client **ret_client,
		    struct err *e)
{
	CLEANUP(address_policy_freep) struct address_policy *policy = NULL;

	if (address_policy_new(options->allow_addresses, &policy, e) < 0)
		return -1;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(e, ERR_INTERNAL, NULL, "libcurl cannot be started");
	struct http_client *client = mem_calloc(1, sizeof(*client));
	client->multi = curl_multi_init();
	if (client->multi == NULL)
		abort(); /* out of memory: see base/mem.h */
	(void)curl_multi_setopt(client->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
	(void)curl_multi_setopt(client->multi, CURLMOPT_MAX_HOST_CONNECTIONS,
				(long)CONNECTIONS_PER_HOST);
	(void)curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, (long)IDLE_CONNECTIONS);
	client->policy = STEAL(policy);
	client->connect_timeout_ms = options->connect_timeout_ms;
	client->ca_file = options->ca_file != NULL ? mem_strdup(options->ca_file) : NULL;
	client->refused = options->refused;
	TAILQ_INIT(&client->flying);
	TAILQ_INIT(&client->unsent);
	*ret_client = client;
	return 0;
}

void http_client_free(struct http_client *client)
{
	if (client == NULL)
		return;
	for (struct call *call; (call = TAILQ_FIRST(&client->flying)) != NULL;) {
		TAILQ_REMOVE(&client->flying, call, link);
		(void)curl_multi_remove_handle(client->multi, call->easy);
		free_call(call);
	}
	for (struct call *call; (call = TAILQ_FIRST(&client->unsent)) != NULL;) {
		TAILQ_REMOVE(&client->unsent, call, link);
		free_call(call);
	}
	(void)curl_multi_cleanup(client->multi);
	address_policy_free(client->policy);
	free(client->ca_file);
	free(client);
	curl_global_cleanup();
}

char *http_escape(const char *text)
{
	char *escaped = curl_easy_escape(NULL, text, 0);

	if (escaped == NULL)
		abort(); /* out of memory: see base/mem.h */
	char *copy = mem_strdup(escaped);
	curl_free(escaped);
	return copy;
}
