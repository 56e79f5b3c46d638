#include "events/relay.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/lockfile.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "db/migrate.h"
#include "events/message.h"
#include "store/kubeconfig_check.h"
#include "store/live.h"

enum {
	BATCH_MAX = 256,
	STALLED_MS = 30000, /* half of the time that a change waits for us */
	LOOK_MS = 30,       /* between batches while changes come */
	WATCH_MS = 1000,    /* between our reports that we poll; a fifth of their validity */
	QUIET_MS = 2000,    /* time without changes before we rest */
	/* the longest rest: another host's process may have died while it polled */
	REST_MS = 5000,
	PAUSE_FIRST_MS = 250,
	PAUSE_DOUBLINGS = 4, /* 4 s */
};

/* WATCHING: changes are stored without a notification, and we poll for them. CLOSING: whoever
 * stores some notifies, except transactions that began before. RESTING: everybody notifies. */
enum mode { WATCHING, CLOSING, RESTING };

struct relay {
	struct relay_options o;
	enum mode mode;
	uint64_t changed_ms; /* when changes were last announced */
	uint64_t watched_ms; /* when we last reported that we poll; 0: not reported */
	int64_t horizon;     /* of CLOSING */
	uint64_t stepped_ms;
	bool gap;          /* something may have been missed since streams were last ended */
	unsigned failures; /* since a message was last passed on */
	int state_lock;    /* -1: not held */
	bool state_failed;
	struct live_change batch[BATCH_MAX];
	size_t batch_count;
};

struct relay *relay_new(const struct relay_options *options)
{
	struct relay *r = mem_calloc(1, sizeof(*r));

	r->o = *options;
	r->gap = true;
	r->state_lock = -1;
	return r;
}

void relay_free(struct relay *r)
{
	if (r == NULL)
		return;
	cleanup_close(&r->state_lock);
	free(r);
}

int relay_fd(const struct relay *r)
{
	return db_socket(r->o.listener);
}

int relay_wait_ms(const struct relay *r)
{
	return r->mode == RESTING ? REST_MS : LOOK_MS;
}

int relay_pause_ms(const struct relay *r)
{
	unsigned doublings = r->failures > 0 ? r->failures - 1 : 0;

	return PAUSE_FIRST_MS << (doublings < PAUSE_DOUBLINGS ? doublings : PAUSE_DOUBLINGS);
}

/* The lock only informs others. Everything works without it. */
static void show_state(struct relay *r, bool flows)
{
	struct err e;

	if (flows && r->state_lock < 0) {
		bool failed = lockfile_take(r->o.state_file, &r->state_lock, &e) < 0;
		/* logged once, although it is tried with every batch */
		if (failed && !r->state_failed)
			log_err(LOG_LEVEL_WARNING,
				"the state file cannot be locked, so /readyz reports live updates "
				"as stopped",
				&e);
		r->state_failed = failed;
	}
	if (!flows) {
		cleanup_close(&r->state_lock);
		r->state_lock = -1;
	}
}

/* ---- receiving ------------------------------------------------------------------------------- */

static int ensure_listening(struct relay *r, struct err *e)
{
	if (relay_fd(r) >= 0)
		return 0;
	r->gap = true;
	r->mode = WATCHING;
	r->watched_ms = 0;
	if (migrate_check(r->o.db, e) < 0)
		return -1;
	return live_listen(r->o.listener, e);
}

static bool is_in_batch(const struct relay *r, const struct live_change *change)
{
	for (size_t i = 0; i < r->batch_count; i++) {
		if (memcmp(&r->batch[i], change, sizeof(*change)) == 0)
			return true;
	}
	return false;
}

/* Collects what has arrived, each once, at most BATCH_MAX. */
static int collect(struct relay *r, struct err *e)
{
	r->batch_count = 0;
	while (r->batch_count < BATCH_MAX) {
		CLEANUP(cleanup_free) char *payload = NULL;
		struct live_change change;

		if (db_next_notification(r->o.listener, &payload, e) < 0)
			return -1;
		if (payload == NULL)
			return 0;
		if (payload[0] == '\0')
			continue; /* announced since */
		if (!live_change_parse(payload, &change))
			log_line(LOG_LEVEL_WARNING, "ignoring a notification in an unknown form",
				 LOG_STR("payload", payload));
		else if (!is_in_batch(r, &change))
			r->batch[r->batch_count++] = change;
	}
	return 0;
}

/* ---- watching and resting -------------------------------------------------------------------- */

static int watch(struct relay *r, struct err *e)
{
	r->mode = WATCHING;
	if (r->watched_ms != 0 && clock_ms() - r->watched_ms < WATCH_MS)
		return 0;
	if (live_watch(r->o.db, e) < 0)
		return -1;
	r->watched_ms = clock_ms();
	return 0;
}

static int begin_to_rest(struct relay *r, struct err *e)
{
	if (live_rest(r->o.db, &r->horizon, e) < 0)
		return -1;
	r->watched_ms = 0;
	r->mode = CLOSING;
	return 0;
}

static int announce(struct relay *r, struct err *e)
{
	struct live_announced announced;

	if (live_announce(r->o.db, &announced, e) < 0)
		return -1;
	if (announced.count > 0) {
		r->changed_ms = clock_ms();
		return watch(r, e);
	}
	if (r->mode == WATCHING)
		return clock_ms() - r->changed_ms < QUIET_MS ? watch(r, e) : begin_to_rest(r, e);
	if (r->mode == CLOSING && announced.horizon >= r->horizon)
		r->mode = RESTING;
	return 0;
}

/* ---- passing on ------------------------------------------------------------------------------ */

static int publish(struct relay *r, const struct live_change *change, const char *event,
		   const char *data, struct err *e)
{
	if (nginx_publish(r->o.nginx, change->user_id, event, data, e) < 0)
		return -1;
	metric_add(METRIC_LIVE_MESSAGES, 1, METRIC_LABELS(event));
	return 0;
}

static int publish_project(struct relay *r, const struct live_change *change, struct err *e)
{
	CLEANUP(live_project_clear) struct live_project project = { .result = NULL };
	CLEANUP(cleanup_free) char *data = NULL;
	struct err failed;

	if (live_project_get(r->o.db, change->user_id, change->project_id, &project, &failed) ==
	    0) {
		data = message_project(&project);
		return publish(r, change, MESSAGE_EVENT_PROJECT, data, e);
	}
	if (failed.kind == ERR_NOT_FOUND) {
		data = message_gone(change->project_id);
		return publish(r, change, MESSAGE_EVENT_GONE, data, e);
	}
	*e = failed;
	return -1;
}

static int publish_kubeconfig(struct relay *r, const struct live_change *change, struct err *e)
{
	CLEANUP(cleanup_free) char *data = NULL;
	json_t *check;

	if (kubeconfig_check_get(r->o.db, change->user_id, &check, e) < 0)
		return -1;
	if (check == NULL) /* its user is gone */
		return 0;
	data = message_kubeconfig(check);
	json_decref(check);
	return publish(r, change, MESSAGE_EVENT_KUBECONFIG, data, e);
}

static int pass_on(struct relay *r, const struct live_change *change, struct err *e)
{
	if (change->project_id[0] != '\0')
		return publish_project(r, change, e);
	if (change->kubeconfig)
		return publish_kubeconfig(r, change, e);
	if (nginx_close(r->o.nginx, change->user_id, e) < 0)
		return -1;
	metric_add(METRIC_LIVE_MESSAGES, 1, METRIC_LABELS("end"));
	return 0;
}

static int pass_on_batch(struct relay *r, struct err *e)
{
	for (size_t i = 0; i < r->batch_count; i++) {
		if (pass_on(r, &r->batch[i], e) < 0)
			return -1;
		r->failures = 0;
	}
	return 0;
}

/* One user after another: nchan can end all channels of a group at once, but only the first time
 * (observed with 1.3.6). It ends 5,000 per second. */
static int close_all(struct relay *r, struct err *e)
{
	CLEANUP(live_users_clear) struct live_users users = { .result = NULL };

	if (nginx_check(r->o.nginx, e) < 0 || live_users_list(r->o.db, &users, e) < 0)
		return -1;
	for (size_t i = 0; i < users.count; i++) {
		if (nginx_close(r->o.nginx, live_users_id(&users, i), e) < 0)
			return -1;
	}
	return 0;
}

/* What has arrived until now is read by pages whose streams have ended. */
static int close_gap(struct relay *r, struct err *e)
{
	do {
		if (collect(r, e) < 0)
			return -1;
	} while (r->batch_count > 0);
	if (close_all(r, e) < 0)
		return -1;
	r->gap = false;
	metric_add(METRIC_LIVE_GAPS, 1, NULL);
	return 0;
}

static int work(struct relay *r, struct err *e)
{
	if (ensure_listening(r, e) < 0 || (r->gap && close_gap(r, e) < 0) || announce(r, e) < 0)
		return -1;
	do {
		if (collect(r, e) < 0 || pass_on_batch(r, e) < 0)
			return -1;
	} while (r->batch_count > 0);
	return 0;
}

int relay_step(struct relay *r, struct err *e)
{
	/* This process was stopped, or the machine was asleep. */
	if (clock_ms() - r->stepped_ms > STALLED_MS)
		r->gap = true;
	int result = work(r, e);
	r->stepped_ms = clock_ms();

	if (result < 0) {
		r->gap = true;
		r->failures++;
	}
	show_state(r, result == 0);
	return result;
}
