#ifndef FSA_HTTP_CALL_H
#define FSA_HTTP_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include <curl/curl.h>

#include "base/buf.h"
#include "http/client.h"
#include "http/guard.h"

/* A request of http/client.h under way, and what its end means. Of this layer only. */
enum {
	/* Of one request's answers, those of 1xx included; API servers send 500 bytes. */
	HEAD_MAX_BYTES = 65536,
	/* libcurl begins anew when a connection that it had kept turns out to be gone. */
	CALL_HANDSHAKES_MAX = 3,
};

struct call {
	TAILQ_ENTRY(call) link;
	struct http_client *client;
	CURL *easy;
	struct curl_slist *headers;
	http_done_fn *done;
	void *user;
	struct buf body;
	bool (*reserve_bytes)(void *user, size_t bytes);
	bool (*take)(void *user, const char *data, size_t length);
	bool streams; /* its head has come, and take() takes the rest */
	size_t taken; /* bytes, a small part as a record */
	size_t take_max;
	char *sending;        /* the request's body, NULL: none */
	size_t sent;          /* bytes of it */
	uint64_t deadline_ms; /* not sent later than this */
	CURLcode setup;       /* not CURLE_OK: could not be sent */
	char owner[GUARD_OWNER_MAX + 1];
	struct guard *guard; /* of its connection, NULL until there is one */
	unsigned handshakes;
	size_t head_bytes;
	bool head_complete; /* its empty line came */
	bool coded;         /* its body, in a way that is not taken */
	bool too_large;
	bool over_budget;
	const char *refusal; /* of the address policy */
	char error[CURL_ERROR_SIZE];
};

/* What came of it: libcurl's `code`, and what we found out ourselves. */
enum http_failure call_failure(const struct call *call, CURLcode code, long status);
/* The same in words; the caller frees. */
char *call_failure_message(const struct call *call, enum http_failure failure, CURLcode code);

#endif
