#include "kube/watch.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/heartbeat.h"
#include "base/json_at.h"
#include "base/mem.h"
#include "http/client.h"
#include "kube/answer.h"
#include "kube/count.h"
#include "kube/operation.h"
#include "kube/resource.h"
#include "kube/target.h"

enum { GRACE_MS = 2000 }; /* how much later than the server we end a watch */

static const char accept_metadata[] =
	"Accept: application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

struct kube_watch {
	const struct kube_resource_type *type;
	const struct kube_target *target;
	const struct kube_watch_events *events;
	void *user;
	struct call *call; /* NULL: it has ended */
	uint64_t opened_us;
	struct buf line; /* what has arrived of the next line */
	unsigned lines;
	struct err err; /* set if we have ended it */
	bool open, failed;
};

static bool fail(struct kube_watch *w, const char *code, const char *why)
{
	w->failed = true;
	err_set(&w->err, ERR_KUBE_PROTOCOL, code, "watch %s: %s", w->type->plural, why);
	return false;
}

/* ---- lines ----------------------------------------------------------------------------------- */

static bool is_type(const json_t *event, const char *type)
{
	return strcmp(json_text_at(event, "type"), type) == 0;
}

/* Returns whether the watch continues. Unknown types of events are ignored. */
static bool read_event(struct kube_watch *w, const json_t *event)
{
	const char *name = json_text_at(event, "object.metadata.name");
	const char *version = json_text_at(event, "object.metadata.resourceVersion");

	if (is_type(event, "ERROR"))
		return fail(w, "WATCH_ENDED", "the server cannot go on with it");
	if (is_type(event, "ADDED") || is_type(event, "MODIFIED") || is_type(event, "DELETED"))
		w->events->changed(w->user, name, version);
	return true;
}

static bool read_line(struct kube_watch *w)
{
	json_auto_t *event = json_loadb(w->line.data, w->line.length, 0, NULL);

	if (event == NULL)
		return fail(w, "NOT_JSON", "a line is not JSON");
	if (++w->lines > KUBE_WATCH_LINES_MAX)
		return fail(w, "ANSWER_TOO_LARGE", "more changes than are read");
	buf_reset(&w->line);
	return read_event(w, event);
}

static bool take(void *user, const char *data, size_t length)
{
	struct kube_watch *w = user;

	heartbeat_owner(w->target->owner);
	if (length == 0) {
		w->open = true;
		w->events->opened(w->user);
	}
	while (length > 0) {
		const char *end = memchr(data, '\n', length);
		size_t part = end != NULL ? (size_t)(end - data) : length;
		if (buf_append(&w->line, data, part, NULL) < 0)
			return fail(w, "ANSWER_TOO_LARGE", "a line is longer than is read");
		if (end == NULL)
			return true;
		if (w->line.length > 0 && !read_line(w))
			return false;
		data += part + 1;
		length -= part + 1;
	}
	return true;
}

/* ---- its life -------------------------------------------------------------------------------- */

static void ended(void *user, const struct http_answer *http)
{
	struct kube_watch *w = user;
	const struct kube_expected expected = { .verb = "watch",
						.plural = w->type->plural,
						.secret = w->target->token };
	json_auto_t *body = NULL;
	bool time_over =
		http->status == 200 && (http->failure == HTTP_OK || http->failure == HTTP_TIMEOUT);

	w->call = NULL;
	kube_count_request(w->target->server, "watch", http, clock_us() - w->opened_us);
	if (!w->failed && !time_over) {
		w->failed = true;
		if (kube_answer_read(http, &expected, &body, &w->err) == 0)
			(void)fail(w, "NOT_A_WATCH", "the answer is none");
	}
	w->events->ended(w->user, w->failed ? &w->err : NULL);
}

struct kube_watch *kube_watch_open(struct kube_client *client, struct kube_target *target,
				   enum kube_resource resource, const char *label,
				   uint64_t duration_ms, const struct kube_watch_events *events,
				   void *user)
{
	struct kube_watch *w = mem_calloc(1, sizeof(*w));
	CLEANUP(cleanup_free) char *selector = http_escape(label);

	w->type = kube_resource_type(resource);
	CLEANUP(cleanup_free)
	char *url = mem_printf("%s/%s/namespaces/%s/%s?watch=true&timeoutSeconds=%llu"
			       "&labelSelector=%s",
			       target->server, w->type->prefix, target->namespace, w->type->plural,
			       (unsigned long long)(duration_ms / 1000), selector);
	const struct http_request request = {
		.method = "GET",
		.url = url,
		.owner = target->owner,
		.headers = { accept_metadata, target->authorization },
		.trust = &target->trust,
		.timeout_ms = duration_ms + GRACE_MS,
		.body_max = KUBE_WATCH_BYTES_MAX,
		.take = take,
	};

	w->target = target;
	w->events = events;
	w->user = user;
	w->line = BUF_INIT(KUBE_WATCH_LINE_MAX);
	w->opened_us = clock_us();
	w->call = http_client_submit(kube_client_http(client), &request, ended, w);
	return w;
}

void kube_watch_close(struct kube_watch *w)
{
	if (w == NULL)
		return;
	if (w->call != NULL) {
		const struct http_answer over = { .status = 200,
						  .failure = w->open ? HTTP_OK : HTTP_TIMEOUT };
		kube_count_request(w->target->server, "watch", &over, clock_us() - w->opened_us);
		http_client_cancel(w->call);
	}
	buf_release(&w->line);
	free(w);
}
