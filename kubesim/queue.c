#include "queue.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "map.h"

struct queue {
	struct timers *timers;
	struct map *waiting; /* key → item */
	queue_handler_fn *handler;
	void *user;
};

struct item {
	struct queue *queue;
	uint64_t due;
	bool overtaken; /* whether the key is due earlier by another item */
	int controller;
	char *key; /* "controller/namespace/name" */
};

struct queue *queue_new(struct timers *timers, queue_handler_fn *handler, void *user)
{
	struct queue *q = mem_calloc(1, sizeof(*q));

	q->timers = timers;
	q->waiting = map_new();
	q->handler = handler;
	q->user = user;
	return q;
}

static void item_free(struct item *item)
{
	free(item->key);
	free(item);
}

static void visit_free(void *user, const char *key, void *value)
{
	(void)user;
	(void)key;
	item_free(value);
}

void queue_free(struct queue *q)
{
	if (q == NULL)
		return;
	map_visit(q->waiting, visit_free, NULL);
	map_free(q->waiting);
	free(q);
}

static void item_due(void *user)
{
	struct item *item = user;
	struct queue *q = item->queue;

	if (!item->overtaken) {
		char *namespace = strchr(item->key, '/') + 1;
		char *name = strchr(namespace, '/') + 1;
		map_remove(q->waiting, item->key);
		name[-1] = '\0';
		q->handler(q->user, item->controller, namespace, name);
	}
	item_free(item);
}

void queue_add(struct queue *q, int controller, const char *namespace, const char *name,
	       uint64_t delay_ms)
{
	CLEANUP(cleanup_free) char *key = mem_printf("%d/%s/%s", controller, namespace, name);
	uint64_t due = clock_ms() + delay_ms;
	struct item *waiting = map_get(q->waiting, key);

	if (waiting != NULL && waiting->due <= due)
		return;
	if (waiting != NULL)
		waiting->overtaken = true;
	struct item *item = mem_calloc(1, sizeof(*item));
	item->queue = q;
	item->due = due;
	item->controller = controller;
	item->key = STEAL(key);
	map_set(q->waiting, item->key, item);
	timers_add(q->timers, due, item_due, item);
}
