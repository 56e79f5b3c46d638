#include "timers.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/mem.h"

struct timer {
	uint64_t due, number;
	timer_fn *fn;
	void *user;
};

/* A binary heap: each timer is due no later than its children at 2i+1 and 2i+2. */
struct timers {
	struct timer *heap;
	size_t count, allocated;
	uint64_t added;
};

struct timers *timers_new(void)
{
	return mem_calloc(1, sizeof(struct timers));
}

void timers_free(struct timers *t)
{
	if (t == NULL)
		return;
	free(t->heap);
	free(t);
}

static bool before(const struct timer *a, const struct timer *b)
{
	return a->due != b->due ? a->due < b->due : a->number < b->number;
}

static void swap(struct timer *a, struct timer *b)
{
	struct timer c = *a;

	*a = *b;
	*b = c;
}

void timers_add(struct timers *t, uint64_t due_ms, timer_fn *fn, void *user)
{
	if (t->count == t->allocated) {
		t->allocated = t->allocated ? t->allocated * 2 : 64;
		t->heap = mem_realloc(t->heap, t->allocated, sizeof(*t->heap));
	}
	size_t at = t->count++;
	t->heap[at] = (struct timer) { due_ms, t->added++, fn, user };
	while (at > 0 && before(&t->heap[at], &t->heap[(at - 1) / 2])) {
		swap(&t->heap[at], &t->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
}

static struct timer take_first(struct timers *t)
{
	struct timer first = t->heap[0];
	size_t at = 0;

	t->heap[0] = t->heap[--t->count];
	for (;;) {
		size_t least = at;
		for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < t->count; child++) {
			if (before(&t->heap[child], &t->heap[least]))
				least = child;
		}
		if (least == at)
			return first;
		swap(&t->heap[at], &t->heap[least]);
		at = least;
	}
}

void timers_run(struct timers *t, uint64_t now_ms)
{
	uint64_t until = t->added;

	while (t->count > 0 && t->heap[0].due <= now_ms && t->heap[0].number < until) {
		struct timer timer = take_first(t);
		timer.fn(timer.user);
	}
}

int timers_wait(const struct timers *t, uint64_t now_ms)
{
	if (t->count == 0)
		return -1;
	if (t->heap[0].due <= now_ms)
		return 0;
	uint64_t wait = t->heap[0].due - now_ms;
	return wait < INT_MAX ? (int)wait : INT_MAX;
}
