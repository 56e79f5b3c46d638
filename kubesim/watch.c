#include "watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"

enum {
	HISTORY = 1024,       /* the number of past changes from which a watch can be resumed */
	PENDING_MAX = 262144, /* bytes kept for a slow reader */
};

/* A change in the store. The objects are referenced; NULL: it did not exist before, or no longer
 * does. */
struct change {
	uint64_t version;
	struct object *before, *after;
};

/* The end of a watch's time. The timer may outlive the watch. */
struct end {
	struct watch *watch;
};

struct watch {
	LIST_ENTRY(watch) link;
	struct watch_query query;
	uint64_t version; /* the last version that was sent */
	struct buf pending;
	size_t sent; /* bytes sent of the current event */
	bool over, cut_off;
	struct end *end;
	void (*news)(void *user);
	void *user;
};

struct watches {
	struct timers *timers;
	LIST_HEAD(, watch) open;
	struct change history[HISTORY]; /* a ring */
	size_t next;
	uint64_t forgotten; /* the latest version that is no longer in it */
};

/* ---- lines ----------------------------------------------------------------------------------- */

static void append(struct watch *w, const char *text)
{
	if (buf_append(&w->pending, text, strlen(text), NULL) < 0)
		w->cut_off = w->over = true;
}

static void write_event(struct watch *w, const char *type, const struct object *o)
{
	append(w, "{\"type\":\"");
	append(w, type);
	append(w, "\",\"object\":");
	if (w->query.metadata_only)
		object_write_metadata(o, &w->pending);
	else
		object_write(o, &w->pending);
	append(w, "}\n");
	if (w->pending.length - w->sent > PENDING_MAX)
		w->cut_off = w->over = true;
}

static void write_bookmark(struct watch *w)
{
	static const char initial[] = ",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}";
	const struct kind *kind = kind_get(w->query.kind);
	bool only = w->query.metadata_only;
	char line[512];

	snprintf(line, sizeof(line),
		 "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"%s\",\"apiVersion\":\"%s\","
		 "\"metadata\":{\"resourceVersion\":\"%llu\"%s}}}\n",
		 only ? "PartialObjectMetadata" : kind->kind,
		 only ? "meta.k8s.io/v1" : kind->api_version, (unsigned long long)w->version,
		 w->query.from_version == 0 ? initial : "");
	append(w, line);
}

static void write_gone(struct watch *w, uint64_t oldest)
{
	char line[512];

	snprintf(line, sizeof(line),
		 "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"apiVersion\":\"v1\","
		 "\"metadata\":{},\"status\":\"Failure\",\"message\":\"too old resource version: "
		 "%llu (%llu)\",\"reason\":\"Expired\",\"code\":410}}\n",
		 (unsigned long long)w->query.from_version, (unsigned long long)oldest);
	append(w, line);
	w->over = true;
}

/* An object that is no longer selected is shown as it was, with the version of the change. */
static struct object *tombstone(const struct object *o, uint64_t version)
{
	json_t *json = object_json(o);
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)version);
	json_path_set(json, "metadata.resourceVersion", json_string(text));
	struct object *gone = object_new(o->kind, json);
	json_decref(json);
	return gone;
}

/* ---- changes --------------------------------------------------------------------------------- */

static bool selects(const struct watch *w, const struct object *o)
{
	const struct watch_query *q = &w->query;

	return o != NULL && o->kind->id == q->kind &&
	       (q->namespace == NULL || strcmp(q->namespace, o->namespace) == 0) &&
	       selector_matches(q->labels, o) && selector_matches(q->fields, o);
}

/* An object that is no longer selected is reported as deleted, one that is selected from now on as
 * added. */
static void report(struct watch *w, const struct change *c)
{
	bool was = selects(w, c->before), is = selects(w, c->after);

	w->version = c->version;
	if (is) {
		write_event(w, was ? "MODIFIED" : "ADDED", c->after);
	} else if (was) {
		struct object *gone = tombstone(c->before, c->version);
		write_event(w, "DELETED", gone);
		object_release(gone);
	}
}

static void tell(struct watch *w)
{
	if ((w->over || w->pending.length > w->sent) && w->news != NULL)
		w->news(w->user);
}

static void forget(struct watches *all, struct change *c)
{
	if (c->version > all->forgotten)
		all->forgotten = c->version;
	object_release(c->before);
	object_release(c->after);
	*c = (struct change) { 0 };
}

void watches_changed(struct watches *all, uint64_t version, const struct object *before,
		     const struct object *after)
{
	struct change *c = &all->history[all->next++ % HISTORY];
	struct watch *w;

	forget(all, c);
	*c = (struct change) { version, NULL, NULL };
	if (before != NULL)
		c->before = object_reference((struct object *)(uintptr_t)before);
	if (after != NULL)
		c->after = object_reference((struct object *)(uintptr_t)after);
	LIST_FOREACH(w, &all->open, link)
	{
		if (w->over)
			continue;
		report(w, c);
		tell(w);
	}
}

void watches_compact(struct watches *all, uint64_t version)
{
	for (size_t i = 0; i < HISTORY; i++)
		forget(all, &all->history[i]);
	all->forgotten = version;
}

/* ---- a watch --------------------------------------------------------------------------------- */

static void time_over(void *user)
{
	struct end *end = user;
	struct watch *w = end->watch;

	free(end);
	if (w == NULL)
		return;
	w->end = NULL;
	if (!w->over && w->query.bookmarks)
		write_bookmark(w);
	w->over = true;
	tell(w);
}

static void resume(struct watches *all, struct watch *w)
{
	if (w->query.from_version < all->forgotten) {
		write_gone(w, all->forgotten);
		return;
	}
	for (size_t i = 0; i < HISTORY && !w->over; i++) {
		const struct change *c = &all->history[(all->next + i) % HISTORY];
		if (c->version > w->query.from_version)
			report(w, c);
	}
}

struct watch *watch_new(struct watches *all, const struct watch_query *query,
			struct object *const *objects, size_t count, uint64_t version)
{
	struct watch *w = mem_calloc(1, sizeof(*w));

	w->query = *query;
	w->query.namespace = query->namespace != NULL ? mem_strdup(query->namespace) : NULL;
	w->pending = BUF_INIT(1 << 30);
	if (query->from_version > 0)
		resume(all, w);
	for (size_t i = 0; i < count && query->from_version == 0; i++) {
		if (selects(w, objects[i]))
			write_event(w, "ADDED", objects[i]);
	}
	/* The initial list does not count as slow reading, however long it is. */
	w->cut_off = false;
	w->over = w->over && query->from_version > 0;
	w->version = version;
	w->end = mem_calloc(1, sizeof(*w->end));
	w->end->watch = w;
	timers_add(all->timers, clock_ms() + query->duration_ms, time_over, w->end);
	LIST_INSERT_HEAD(&all->open, w, link);
	return w;
}

void watch_free(struct watch *w)
{
	if (w == NULL)
		return;
	LIST_REMOVE(w, link);
	if (w->end != NULL)
		w->end->watch = NULL;
	selector_free(w->query.labels);
	selector_free(w->query.fields);
	free((char *)(uintptr_t)w->query.namespace);
	buf_release(&w->pending);
	free(w);
}

void watch_on_news(struct watch *w, void (*news)(void *user), void *user)
{
	w->news = news;
	w->user = user;
}

size_t watch_read(struct watch *w, char *to, size_t max)
{
	size_t left = w->pending.length - w->sent, length = left < max ? left : max;

	if (length == 0)
		return 0;
	memcpy(to, w->pending.data + w->sent, length);
	w->sent += length;
	if (w->sent == w->pending.length) {
		buf_reset(&w->pending);
		w->sent = 0;
	}
	return length;
}

bool watch_is_over(const struct watch *w)
{
	return w->over && w->pending.length == w->sent;
}

bool watch_is_cut_off(const struct watch *w)
{
	return w->cut_off;
}

/* ---- all of them ----------------------------------------------------------------------------- */

struct watches *watches_new(struct timers *timers)
{
	struct watches *all = mem_calloc(1, sizeof(*all));

	all->timers = timers;
	LIST_INIT(&all->open);
	return all;
}

void watches_free(struct watches *all)
{
	if (all == NULL)
		return;
	for (size_t i = 0; i < HISTORY; i++)
		forget(all, &all->history[i]);
	free(all);
}

size_t watches_count(const struct watches *all)
{
	const struct watch *w;
	size_t count = 0;

	LIST_FOREACH(w, &all->open, link)
	{
		count++;
	}
	return count;
}
