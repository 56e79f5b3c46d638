#include "counters.h"

#include <stdlib.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "map.h"

enum { LOG_MAX = 100000 };

struct counters {
	struct map *requests; /* "verb resource code" → a number as a pointer */
	unsigned long long total;
	json_t *log[LOG_MAX]; /* a ring */
	unsigned long long written;
};

struct counters *counters_new(void)
{
	struct counters *c = mem_calloc(1, sizeof(*c));

	c->requests = map_new();
	return c;
}

void counters_reset(struct counters *c)
{
	map_free(c->requests);
	c->requests = map_new();
	c->total = 0;
	for (size_t i = 0; i < LOG_MAX; i++) {
		json_decref(c->log[i]);
		c->log[i] = NULL;
	}
	c->written = 0;
}

void counters_free(struct counters *c)
{
	if (c == NULL)
		return;
	counters_reset(c);
	map_free(c->requests);
	free(c);
}

void counters_request(struct counters *c, const char *verb, const char *resource, int code)
{
	CLEANUP(cleanup_free) char *key = mem_printf("%s %s %d", verb, resource, code);
	uintptr_t count = (uintptr_t)map_get(c->requests, key);

	map_set(c->requests, key, (void *)(count + 1));
	c->total++;
}

void counters_write(struct counters *c, const struct write *w)
{
	size_t place = c->written++ % LOG_MAX;

	json_decref(c->log[place]);
	c->log[place] =
		json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s}", "ms",
			  (json_int_t)clock_ms(), "user", w->user, "verb", w->verb, "resource",
			  w->resource, "namespace", w->namespace, "name", w->name, "uid", w->uid,
			  "version", (json_int_t)w->version, "effect", w->effect);
}

static void add_count(void *user, const char *key, void *value)
{
	json_object_set_new(user, key, json_integer((json_int_t)(uintptr_t)value));
}

json_t *counters_json(const struct counters *c)
{
	json_t *by = json_object();

	map_visit(c->requests, add_count, by);
	return json_pack("{s:I, s:o}", "requests", (json_int_t)c->total, "by", by);
}

json_t *counters_writes(const struct counters *c, unsigned long long since)
{
	json_t *writes = json_array();

	if (c->written > LOG_MAX && since < c->written - LOG_MAX)
		since = c->written - LOG_MAX;
	for (; since < c->written; since++)
		json_array_append(writes, c->log[since % LOG_MAX]);
	return json_pack("{s:I, s:o}", "next", (json_int_t)c->written, "writes", writes);
}
