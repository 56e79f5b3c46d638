#include "ctl/fetch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "base/cleanup.h"
#include "base/mem.h"

enum { CONNECT_TIMEOUT_MS = 3000, TIMEOUT_MS = 15000, BODY_MAX = 262144 };

static const struct {
	CURLcode code;
	enum fetch_failure failure;
} failures[] = {
	{ CURLE_OK, FETCH_OK },
	{ CURLE_COULDNT_RESOLVE_HOST, FETCH_UNREACHABLE },
	{ CURLE_COULDNT_CONNECT, FETCH_UNREACHABLE },
	{ CURLE_OPERATION_TIMEDOUT, FETCH_UNREACHABLE },
	{ CURLE_PEER_FAILED_VERIFICATION, FETCH_CERTIFICATE },
};

static enum fetch_failure find_failure(CURLcode code)
{
	for (size_t i = 0; i < ARRAY_SIZE(failures); i++) {
		if (failures[i].code == code)
			return failures[i].failure;
	}
	return FETCH_OTHER;
}

static size_t take_body(char *data, size_t size, size_t count, void *user)
{
	struct fetch *fetch = user;
	struct err e;

	return buf_append(&fetch->body, data, size * count, &e) < 0 ? 0 : size * count;
}

/* Reads the dates of the server's own certificate, which comes first: "Expire date:Nov 29 12:00:00
 * 2026 GMT". */
static void read_dates(CURL *curl, struct fetch *fetch)
{
	static const char from[] = "Start date:", until[] = "Expire date:";
	struct curl_certinfo *chain = NULL;

	if (curl_easy_getinfo(curl, CURLINFO_CERTINFO, &chain) != CURLE_OK || chain == NULL ||
	    chain->num_of_certs < 1)
		return;
	for (const struct curl_slist *line = chain->certinfo[0]; line != NULL; line = line->next) {
		if (strncmp(line->data, from, strlen(from)) == 0)
			fetch->not_before = curl_getdate(line->data + strlen(from), NULL);
		if (strncmp(line->data, until, strlen(until)) == 0)
			fetch->not_after = curl_getdate(line->data + strlen(until), NULL);
	}
}

static void read_answer(CURL *curl, CURLcode code, const char *said, struct fetch *fetch)
{
	const char *type = NULL;

	fetch->failure = find_failure(code);
	(void)snprintf(fetch->message, sizeof(fetch->message), "%s",
		       said[0] != '\0' ? said : curl_easy_strerror(code));
	(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &fetch->status);
	if (curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type) == CURLE_OK && type != NULL)
		(void)snprintf(fetch->type, sizeof(fetch->type), "%s", type);
	read_dates(curl, fetch);
}

void fetch_get(const char *url, const char *address, const char *ca_file, struct fetch *ret_fetch)
{
	CURL *curl = curl_easy_init();
	CLEANUP(cleanup_free) char *connect = mem_printf("::%s", address != NULL ? address : "");
	char said[CURL_ERROR_SIZE] = "";

	*ret_fetch = (struct fetch) { .body = BUF_INIT(BODY_MAX) };
	if (curl == NULL)
		abort(); /* out of memory */
	struct curl_slist *connect_to = address != NULL ? curl_slist_append(NULL, connect) : NULL;
	(void)curl_easy_setopt(curl, CURLOPT_URL, url);
	(void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(curl, CURLOPT_CONNECT_TO, connect_to);
	(void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
	(void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
	(void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)TIMEOUT_MS);
	(void)curl_easy_setopt(curl, CURLOPT_CERTINFO, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file);
	(void)curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, ca_file != NULL ? 1L : 0L);
	(void)curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, ca_file != NULL ? 2L : 0L);
	(void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, said);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, ret_fetch);
	read_answer(curl, curl_easy_perform(curl), said, ret_fetch);
	curl_slist_free_all(connect_to);
	curl_easy_cleanup(curl);
}

void fetch_clear(struct fetch *fetch)
{
	buf_release(&fetch->body);
}
