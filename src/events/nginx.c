#include "events/nginx.h"

#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "base/cleanup.h"
#include "base/mem.h"

enum { TIMEOUT_MS = 2000 };

struct nginx {
	CURL *curl; /* keeps its connection between requests */
	char *socket_path;
	char said[CURL_ERROR_SIZE];
};

/* Ignores nginx's short responses. */
static size_t discard(char *data, size_t size, size_t count, void *unused)
{
	(void)data;
	(void)unused;
	return size * count;
}

struct nginx *nginx_new(const char *socket_path)
{
	struct nginx *n = mem_calloc(1, sizeof(*n));

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
	    (n->curl = curl_easy_init()) == NULL)
		abort(); /* out of memory */
	n->socket_path = mem_strdup(socket_path);
	return n;
}

void nginx_free(struct nginx *n)
{
	if (n == NULL)
		return;
	curl_easy_cleanup(n->curl);
	curl_global_cleanup();
	free(n->socket_path);
	free(n);
}

/* Resets the options, but keeps the connection. */
static void prepare(struct nginx *n, const char *url)
{
	CURL *curl = n->curl;

	curl_easy_reset(curl);
	n->said[0] = '\0';
	(void)curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, n->socket_path);
	(void)curl_easy_setopt(curl, CURLOPT_URL, url);
	(void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
	(void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
	(void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)TIMEOUT_MS);
	(void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, n->said);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, discard);
}

/* `also`: another status that counts as success, or 0. */
static int perform(struct nginx *n, long also, struct err *e)
{
	long status = 0;
	CURLcode code = curl_easy_perform(n->curl);

	if (code != CURLE_OK)
		return err_set(e, ERR_UNAVAILABLE, NULL, "nginx at %s: %s", n->socket_path,
			       n->said[0] ? n->said : curl_easy_strerror(code));
	(void)curl_easy_getinfo(n->curl, CURLINFO_RESPONSE_CODE, &status);
	if ((status < 200 || status > 299) && status != also)
		return err_set(e, ERR_UNAVAILABLE, NULL, "nginx at %s answered %ld", n->socket_path,
			       status);
	return 0;
}

int nginx_check(struct nginx *n, struct err *e)
{
	prepare(n, "http://nginx/");
	return perform(n, 0, e);
}

int nginx_publish(struct nginx *n, const char *user_id, const char *event, const char *data,
		  struct err *e)
{
	CLEANUP(cleanup_free) char *url = mem_printf("http://nginx/users/%s", user_id);
	CLEANUP(cleanup_free) char *name = mem_printf("X-EventSource-Event: %s", event);
	struct curl_slist *headers = curl_slist_append(NULL, name);

	prepare(n, url);
	headers = curl_slist_append(headers, "Content-Type: application/json");
	(void)curl_easy_setopt(n->curl, CURLOPT_HTTPHEADER, headers);
	(void)curl_easy_setopt(n->curl, CURLOPT_POSTFIELDS, data);
	int result = perform(n, 0, e);
	curl_slist_free_all(headers);
	return result;
}

int nginx_close(struct nginx *n, const char *user_id, struct err *e)
{
	enum { NO_STREAMS = 404 };
	CLEANUP(cleanup_free) char *url = mem_printf("http://nginx/users/%s", user_id);

	prepare(n, url);
	(void)curl_easy_setopt(n->curl, CURLOPT_CUSTOMREQUEST, "DELETE");
	return perform(n, NO_STREAMS, e);
}
