#include "reconcile/follow.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "base/mem.h"
#include "kube/watch.h"
#include "manifest/manifest.h"

enum {
	WATCHES_MAX = 64,            /* per pass */
	WATCHES_PER_SERVER_MAX = 32, /* per server, which limits streams */
	ROWS_MAX = 64,               /* per watch */
	WAKES_MAX = 16,              /* per row, by one watch */
	SPACING_MS = 100, /* from a row's observation to the next one caused by a change */
	OPEN_MS = 2000,   /* a watch that is not open after this time is given up */
	OURS_MS = 15000,  /* a followed row is observed again sooner, with or without events */
	DURATION_MS = 30000,
	DURATION_MIN_MS = 5000, /* a watch that ends sooner is not opened again */
	VERSION_MAX = 63,
};

struct followed {
	TAILQ_ENTRY(followed) link;
	char *name, *row_id;
	char observed[VERSION_MAX + 1]; /* the last version that the row's work has observed */
	/* the last version that the watch has reported, "" if none */
	char reported[VERSION_MAX + 1];
	uint64_t begun_ms;
	uint64_t wake_ms; /* UINT64_MAX: not to be woken */
	unsigned wakes;
	bool woken; /* and not observed since */
};

struct watched {
	TAILQ_ENTRY(watched) link;
	struct kube_target *target;
	enum kube_resource type;
	struct kube_watch *watch; /* NULL: none is open */
	uint64_t opened_ms;
	bool is_open, has_ended;
	bool failed; /* it is not tried again */
	TAILQ_HEAD(, followed) rows;
	size_t count;
};

struct follow {
	TAILQ_HEAD(, watched) all;
	size_t watches;
};

/* ---- rows ------------------------------------------------------------------------------------ */

static void copy_version(char to[VERSION_MAX + 1], const char *version)
{
	size_t length = strnlen(version, VERSION_MAX);

	memcpy(to, version, length);
	to[length] = '\0';
}

static struct followed *find_row(const struct watched *w, const char *name)
{
	struct followed *row;

	TAILQ_FOREACH(row, &w->rows, link)
	{
		if (strcmp(row->name, name) == 0)
			return row;
	}
	return NULL;
}

static void remove_row(struct watched *w, struct followed *row)
{
	TAILQ_REMOVE(&w->rows, row, link);
	w->count--;
	free(row->name);
	free(row->row_id);
	free(row);
}

/* Not if another host has claimed it since. */
static bool is_ours(const struct followed *row)
{
	return clock_ms() - row->begun_ms <= OURS_MS;
}

/* A version that was already observed is no news, however often it is reported; any other is news,
 * or will soon be followed by the observed one. */
static void judge(struct followed *row)
{
	uint64_t now = clock_ms(), soonest = row->begun_ms + SPACING_MS;

	if (row->reported[0] == '\0' || strcmp(row->reported, row->observed) == 0 ||
	    row->wakes >= WAKES_MAX || !is_ours(row))
		row->wake_ms = UINT64_MAX;
	else if (row->wake_ms == UINT64_MAX)
		row->wake_ms = now > soonest ? now : soonest;
}

/* ---- watches --------------------------------------------------------------------------------- */

static void opened(void *user)
{
	struct watched *w = user;

	w->is_open = true;
}

static void changed(void *user, const char *name, const char *version)
{
	struct followed *row = find_row(user, name);

	if (row == NULL)
		return;
	copy_version(row->reported, version);
	judge(row);
}

static void ended(void *user, const struct err *err)
{
	struct watched *w = user;

	w->has_ended = true;
	w->failed = w->failed || err != NULL || clock_ms() - w->opened_ms < DURATION_MIN_MS;
}

static const struct kube_watch_events events = { opened, changed, ended };

static void close_watch(struct follow *f, struct watched *w)
{
	if (w->watch == NULL)
		return;
	kube_watch_close(w->watch);
	w->watch = NULL;
	w->is_open = w->has_ended = false;
	f->watches--;
}

static size_t watches_of(const struct follow *f, const char *server)
{
	const struct watched *w;
	size_t count = 0;

	TAILQ_FOREACH(w, &f->all, link)
	{
		count += w->watch != NULL && strcmp(kube_target_server(w->target), server) == 0;
	}
	return count;
}

static bool open_watch(struct follow *f, struct kube_client *client, struct watched *w)
{
	if (w->failed || f->watches >= WATCHES_MAX ||
	    watches_of(f, kube_target_server(w->target)) >= WATCHES_PER_SERVER_MAX)
		return false;
	w->opened_ms = clock_ms();
	w->watch = kube_watch_open(client, w->target, w->type, MANIFEST_LABEL_RESOURCE, DURATION_MS,
				   &events, w);
	f->watches++;
	return true;
}

/* Its rows use their timers again, at once: changes may have been missed for a while. */
static void give_up(struct follow *f, struct watched *w)
{
	struct followed *row;

	close_watch(f, w);
	TAILQ_FOREACH(row, &w->rows, link)
	{
		if (!row->woken)
			row->wake_ms = clock_ms();
	}
}

static bool is_needed(const struct watched *w)
{
	const struct followed *row;

	TAILQ_FOREACH(row, &w->rows, link)
	{
		if (is_ours(row))
			return true;
	}
	return false;
}

/* Closes a watch that nobody needs, or that does not work. */
static void tidy(struct follow *f, struct watched *w)
{
	if (w->watch == NULL)
		return;
	if (!w->is_open && !w->has_ended && clock_ms() - w->opened_ms > OPEN_MS)
		w->failed = true;
	if (w->has_ended || w->failed)
		give_up(f, w);
	else if (!is_needed(w))
		close_watch(f, w);
}

/* ---- all of them ----------------------------------------------------------------------------- */

struct follow *follow_new(void)
{
	struct follow *f = mem_calloc(1, sizeof(*f));

	TAILQ_INIT(&f->all);
	return f;
}

void follow_free(struct follow *f)
{
	if (f == NULL)
		return;
	while (!TAILQ_EMPTY(&f->all)) {
		struct watched *w = TAILQ_FIRST(&f->all);
		TAILQ_REMOVE(&f->all, w, link);
		close_watch(f, w);
		while (!TAILQ_EMPTY(&w->rows)) {
			/* The analyzer does not see that remove_row() changes the head of the list.
			 * NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
			remove_row(w, TAILQ_FIRST(&w->rows));
		}
		free(w);
	}
	free(f);
}

static struct watched *find_watched(struct follow *f, const struct follow_anchor *anchor)
{
	struct watched *w;

	TAILQ_FOREACH(w, &f->all, link)
	{
		if (w->target == anchor->target && w->type == anchor->type)
			return w;
	}
	return NULL;
}

static struct watched *ensure_watched(struct follow *f, const struct follow_anchor *anchor)
{
	struct watched *w = find_watched(f, anchor);

	if (w != NULL)
		return w;
	w = mem_calloc(1, sizeof(*w));
	w->target = anchor->target;
	w->type = anchor->type;
	TAILQ_INIT(&w->rows);
	TAILQ_INSERT_TAIL(&f->all, w, link);
	return w;
}

static struct followed *ensure_row(struct watched *w, const char *name, const char *row_id)
{
	struct followed *row = find_row(w, name);

	if (row != NULL || w->count >= ROWS_MAX)
		return row;
	row = mem_calloc(1, sizeof(*row));
	row->name = mem_strdup(name);
	row->row_id = mem_strdup(row_id);
	TAILQ_INSERT_TAIL(&w->rows, row, link);
	w->count++;
	return row;
}

bool follow_begin(struct follow *f, struct kube_client *client, const struct follow_anchor *anchor,
		  const char *row_id, const char *version)
{
	struct watched *w = ensure_watched(f, anchor);
	bool was_open = w->watch != NULL;

	tidy(f, w);
	if (w->watch == NULL && !open_watch(f, client, w))
		return false;
	bool is_new = find_row(w, anchor->name) == NULL;
	struct followed *row = ensure_row(w, anchor->name, row_id);
	if (row == NULL)
		return false;
	copy_version(row->observed, version);
	row->begun_ms = clock_ms();
	row->woken = false;
	row->wake_ms = UINT64_MAX;
	judge(row);
	/* Changes before the row was followed are missed, unless the watch begins now and reports
	 * everything. */
	return !is_new || !was_open;
}

void follow_end(struct follow *f, const struct follow_anchor *anchor)
{
	struct watched *w = find_watched(f, anchor);
	struct followed *row = w != NULL ? find_row(w, anchor->name) : NULL;

	if (row == NULL)
		return;
	remove_row(w, row);
	tidy(f, w);
}

size_t follow_take(struct follow *f, const char **ret_ids, size_t max)
{
	struct watched *w;
	struct followed *row;
	size_t count = 0;

	TAILQ_FOREACH(w, &f->all, link)
	{
		tidy(f, w);
		TAILQ_FOREACH(row, &w->rows, link)
		{
			if (count == max || row->woken || row->wake_ms > clock_ms())
				continue;
			row->woken = true;
			row->wakes++;
			row->wake_ms = UINT64_MAX;
			ret_ids[count++] = row->row_id;
		}
	}
	return count;
}

uint64_t follow_wait_ms(const struct follow *f)
{
	uint64_t now = clock_ms(), soonest = UINT64_MAX;
	const struct watched *w;
	const struct followed *row;

	TAILQ_FOREACH(w, &f->all, link)
	{
		TAILQ_FOREACH(row, &w->rows, link)
		{
			if (!row->woken && row->wake_ms < soonest)
				soonest = row->wake_ms;
		}
	}
	if (soonest == UINT64_MAX)
		return UINT64_MAX;
	return soonest > now ? soonest - now : 0;
}

bool follow_has_rows(const struct follow *f)
{
	const struct watched *w;

	TAILQ_FOREACH(w, &f->all, link)
	{
		if (w->watch != NULL && w->count > 0)
			return true;
	}
	return false;
}
