#include "reconcile/shards.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/heartbeat.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "reconcile/aftermath.h"
#include "reconcile/announce.h"
#include "store/queue.h"
#include "store/shard.h"

enum {
	LINGER_MS = 2000,   /* how long a pass waits for a row that is about to be due */
	ASK_MS = 250,       /* between queries for shards with rows due, if nothing happens */
	ASK_SOON_MS = 20,   /* the same, at least, if a row is about to be due */
	ANNOUNCE_MS = 5000, /* between announcements that a pass is running here */
	STUCK = 4,          /* times stall_time, for a process that does not even use CPU time */
};

/* Shared between the process of a shard and its parent. */
struct shared {
	struct heartbeat heartbeat;
	struct pass_summary summary;
	struct err error;
	bool failed, over; /* over: `failed` and `summary` are final */
};

enum state { IDLE, RUNNING, LOST };

struct shard {
	unsigned index;
	enum state state;
	pid_t pid;
	int pidfd;
	struct shared *shared;
	bool failed; /* its pass failed: the next pass starts its process again */
	/* The last beat, how long there has been no other, and the process's CPU time when it was
	 * first seen. */
	uint64_t beat_ms, same_ms, cpu_ms;
	/* Of a lost process: until aftermath() has been run. */
	char what[128];
	uint64_t took_ms;
};

struct shards {
	struct reconciler *r;
	struct pass_summary *summary;
	unsigned count, running;
	struct shard *items;
	struct shared *shared; /* array of all shards' */
	bool *due;
	struct pollfd *fds;
	uint64_t started_ms, stall_ms, watched_ms;
	uint64_t next_ask_ms, next_announce_ms;
	bool stopping;
	bool broken;      /* something failed that all shards need */
	bool failed;      /* `broken`, or a shard's pass failed */
	struct err error; /* the first error */
};

/* ---- a process of a shard -------------------------------------------------------------------- */

/* The connection and the wake descriptors are inherited, but must not be shared. */
static int part_from_parent(struct reconciler *r, struct err *e)
{
	struct err warning;
	bool watched;

	db_disown(r->db);
	wake_free(r->wake);
	r->wake = NULL;
	return wake_new(conf_string(r->conf, CONF_WAKE_FILE), &r->wake, &watched, &warning, e);
}

static int run_shard(struct reconciler *r, const struct shard *shard, struct shared *shared)
{
	r->shard.index = shard->index;
	heartbeat_open(&shared->heartbeat);
	heartbeat_beat();
	shared->failed = part_from_parent(r, &shared->error) < 0 ||
			 pass_run(r, &shared->summary, &shared->error) < 0;
	heartbeat_pause();
	shared->over = true;
	return EXIT_SUCCESS;
}

static int start(struct shards *s, struct shard *shard, struct err *e)
{
	pid_t parent = getpid();

	memset(shard->shared, 0, sizeof(*shard->shared));
	pid_t pid = fork();
	if (pid < 0)
		return err_set(e, ERR_INTERNAL, "FORK", "no process for a shard: %s",
			       strerror(errno));
	if (pid == 0) {
		/* The processes of a pass end with it. */
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
			_exit(EXIT_FAILURE);
		exit(run_shard(s->r, shard, shard->shared));
	}
	shard->pid = pid;
	shard->pidfd = pidfd_open(pid, 0);
	if (shard->pidfd < 0)
		log_line(LOG_LEVEL_WARNING,
			 "cannot be notified of a shard's end, so polling for it",
			 LOG_STR("error", strerror(errno)));
	shard->state = RUNNING;
	shard->beat_ms = shard->same_ms = shard->cpu_ms = 0;
	s->running++;
	return 0;
}

/* ---- its end --------------------------------------------------------------------------------- */

static void add_summary(struct pass_summary *sum, const struct pass_summary *part)
{
	sum->claimed += part->claimed;
	sum->recorded += part->recorded;
	sum->changed += part->changed;
	sum->failed += part->failed;
	sum->stale += part->stale;
	sum->released += part->released;
	sum->requests += part->requests;
}

static void note_failure(struct shards *s, const struct err *e)
{
	if (!s->failed)
		s->error = *e;
	s->failed = true;
}

static void set_lost(struct shard *shard)
{
	shard->state = LOST;
	shard->took_ms = shard->same_ms;
}

static void take_end(struct shards *s, struct shard *shard, int status)
{
	cleanup_close(&shard->pidfd);
	s->running--;
	s->next_ask_ms = 0;
	if (shard->state == LOST)
		return; /* we have killed it */
	if (!WIFSIGNALED(status) && shard->shared->over) {
		shard->state = IDLE;
		add_summary(s->summary, &shard->shared->summary);
		shard->failed = shard->shared->failed;
		if (shard->failed)
			note_failure(s, &shard->shared->error);
		return;
	}
	set_lost(shard);
	if (WIFSIGNALED(status))
		(void)snprintf(shard->what, sizeof(shard->what),
			       "a process of ours was ended by signal %d", WTERMSIG(status));
	else
		(void)snprintf(shard->what, sizeof(shard->what),
			       "a process of ours ended with status %d", WEXITSTATUS(status));
}

/* Gives back the rows of a lost process. */
static void clear_up(struct shards *s, struct shard *shard)
{
	char worker[PASS_WORKER_MAX];
	struct aftermath a = {
		.worker = worker,
		.owner = shard->shared->heartbeat.owner,
		.what = shard->what,
		.took_ms = shard->took_ms,
	};
	struct err e;

	shard->shared->heartbeat.owner[HEARTBEAT_OWNER_MAX] = '\0';
	pass_worker(shard->pid, worker);
	metric_add(METRIC_SHARDS_LOST, 1, NULL);
	if (aftermath(s->r->db, &a, &e) < 0)
		log_err(LOG_LEVEL_WARNING,
			"the rows of a lost process stay leased until their leases expire", &e);
}

static void reap(struct shards *s)
{
	for (unsigned i = 0; i < s->count; i++) {
		struct shard *shard = &s->items[i];
		int status;
		if (shard->pid > 0 && waitpid(shard->pid, &status, WNOHANG) == shard->pid) {
			take_end(s, shard, status);
			if (shard->state == LOST) {
				clear_up(s, shard);
				shard->state = IDLE;
			}
			shard->pid = 0;
		}
	}
}

/* ---- stalls ---------------------------------------------------------------------------------- */

/* Returns the CPU time of a process so far. */
static uint64_t cpu_ms_of(pid_t pid)
{
	struct timespec used;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) < 0)
		return 0;
	return (uint64_t)used.tv_sec * 1000 + (uint64_t)used.tv_nsec / 1000000;
}

/* Whether a process has not turned its loop for stall_time, of which it used half as CPU time
 * (otherwise it may only be waiting for a processor, as on a busy machine), or has not turned it
 * for STUCK times stall_time. */
static bool has_stalled(const struct shards *s, struct shard *shard, uint64_t step_ms)
{
	uint64_t beat_ms = atomic_load(&shard->shared->heartbeat.beat_ms);
	uint64_t cpu_ms = cpu_ms_of(shard->pid);

	if (beat_ms != shard->beat_ms || beat_ms == HEARTBEAT_PAUSED) {
		shard->beat_ms = beat_ms;
		shard->same_ms = 0;
		shard->cpu_ms = cpu_ms;
		return false;
	}
	shard->same_ms += step_ms;
	return shard->same_ms >= STUCK * s->stall_ms ||
	       (shard->same_ms >= s->stall_ms && cpu_ms - shard->cpu_ms >= s->stall_ms / 2);
}

/* Returns the time since the last check, without times when this process itself was stopped, with
 * its machine or by a debugger. */
static uint64_t watched_for(struct shards *s)
{
	uint64_t now = clock_ms(), step_ms = now - s->watched_ms;

	s->watched_ms = now;
	return step_ms < s->stall_ms / 2 ? step_ms : 0;
}

static void end_stalled(struct shards *s)
{
	uint64_t step_ms = watched_for(s);

	for (unsigned i = 0; i < s->count; i++) {
		struct shard *shard = &s->items[i];
		if (shard->state != RUNNING || !has_stalled(s, shard, step_ms))
			continue;
		set_lost(shard);
		(void)snprintf(shard->what, sizeof(shard->what),
			       "a process of ours was kept busy for %llu ms",
			       (unsigned long long)shard->took_ms);
		(void)kill(shard->pid, SIGKILL);
	}
}

/* ---- the loop -------------------------------------------------------------------------------- */

/* As in a single process: once its time is up, it begins nothing, except healthy rows while others
 * are waited for. */
static bool is_closing(const struct shards *s)
{
	return clock_ms() >= s->r->claim_until_ms;
}

static bool may_start(const struct shards *s)
{
	if (wake_stopping(s->r->wake) || s->broken)
		return false;
	return !is_closing(s) || (s->running > 0 && clock_ms() < s->r->close_until_ms);
}

static bool may_begin(const struct shard *shard)
{
	return shard->pid == 0 && !shard->failed;
}

static int ask(struct shards *s, struct err *e)
{
	const struct queue_shard all = { 0 };

	if (shard_find_due(s->r->db, s->count, is_closing(s), s->due, e) < 0 ||
	    queue_next_due(s->r->db, &all, &s->summary->next_due_ms, e) < 0)
		return -1;
	for (unsigned i = 0; i < s->count; i++) {
		if (s->due[i] && may_begin(&s->items[i]) && start(s, &s->items[i], e) < 0)
			return -1;
	}
	/* Rows due now either belong to a running process, or have to wait for one. */
	uint64_t wait_ms = s->summary->next_due_ms > 0 ? s->summary->next_due_ms : ASK_MS;
	wait_ms = wait_ms < ASK_SOON_MS ? ASK_SOON_MS : wait_ms > LINGER_MS ? LINGER_MS : wait_ms;
	s->next_ask_ms = clock_ms() + wait_ms;
	return 0;
}

/* While the database is away, the processes continue: they wait for it, too. */
static int ask_if_due(struct shards *s, struct err *e)
{
	if (!may_start(s) || clock_ms() < s->next_ask_ms || ask(s, e) == 0)
		return 0;
	s->next_ask_ms = clock_ms() + ASK_MS;
	return e->kind == ERR_UNAVAILABLE && s->running > 0 ? 0 : -1;
}

/* Rows of a shard whose pass failed stay due, so they are no reason to wait. */
static bool is_over(const struct shards *s)
{
	if (s->running > 0)
		return false;
	return !may_start(s) || s->failed ||
	       (clock_ms() < s->next_ask_ms && s->summary->next_due_ms > LINGER_MS);
}

static void stop_if_asked(struct shards *s)
{
	if (s->stopping || (!wake_stopping(s->r->wake) && !s->broken))
		return;
	s->stopping = true;
	for (unsigned i = 0; i < s->count; i++) {
		if (s->items[i].pid > 0)
			(void)kill(s->items[i].pid, SIGTERM);
	}
}

static void wait_for_something(struct shards *s)
{
	uint64_t now = clock_ms(), until = s->next_ask_ms;
	nfds_t count = 0;

	s->fds[count++] = (struct pollfd) { .fd = wake_fd(s->r->wake), .events = POLLIN };
	for (unsigned i = 0; i < s->count; i++) {
		if (s->items[i].pid > 0)
			s->fds[count++] =
				(struct pollfd) { .fd = s->items[i].pidfd, .events = POLLIN };
	}
	if (!may_start(s) || until > now + s->stall_ms / 4)
		until = now + s->stall_ms / 4;
	(void)poll(s->fds, count, until > now ? (int)(until - now) : 0);
	if (wake_drain(s->r->wake))
		s->next_ask_ms = 0;
}

/* A pass works without the announcement: if it fails, either the next claim will fail for the same
 * reason, or the schema is about to be migrated to this version. */
static void announce_if_due(struct shards *s)
{
	CLEANUP(cleanup_free) char *foreign_keys = NULL;
	struct err e;

	if (clock_ms() < s->next_announce_ms)
		return;
	s->next_announce_ms = clock_ms() + ANNOUNCE_MS;
	if (announce_pass(s->r, &foreign_keys, &e) < 0)
		log_err(LOG_LEVEL_WARNING, "cannot announce this host's pass to other hosts", &e);
}

static void loop(struct shards *s)
{
	struct err e;

	do {
		announce_if_due(s);
		reap(s);
		end_stalled(s);
		if (ask_if_due(s, &e) < 0) {
			note_failure(s, &e);
			s->broken = true;
		}
		stop_if_asked(s);
		if (!is_over(s))
			wait_for_something(s);
	} while (!is_over(s));
}

/* Metrics that are 0 are written, too: otherwise they would look like those of a reconciler that
 * does not count. */
static void count_pass(const struct pass_summary *s, bool ok)
{
	metric_add(METRIC_PASSES, 1, METRIC_LABELS(ok ? "ok" : "failed"));
	metric_add(METRIC_PASSES, 0, METRIC_LABELS(ok ? "failed" : "ok"));
	metric_observe_us(METRIC_PASS_SECONDS, s->elapsed_ms * 1000, NULL);
	metric_add(METRIC_ROWS, s->recorded - s->failed, METRIC_LABELS("ok"));
	metric_add(METRIC_ROWS, s->failed, METRIC_LABELS("cause"));
	metric_add(METRIC_ROWS, s->released, METRIC_LABELS("released"));
	metric_add(METRIC_LEASES_LOST, s->stale, NULL);
	metric_add(METRIC_SHARDS_LOST, 0, NULL);
	if (ok)
		metric_set(METRIC_PASS_END, (uint64_t)time(NULL), NULL);
}

/* The last result is from a time when rows were leased, so it may be the end of a lease. How long
 * the next pass may wait is queried again when all leases have been given back. */
static void ask_when_next(struct shards *s)
{
	const struct queue_shard all = { 0 };
	struct err e;

	if (!s->failed && queue_next_due(s->r->db, &all, &s->summary->next_due_ms, &e) < 0)
		note_failure(s, &e);
}

static int shards_init(struct shards *s, struct err *e)
{
	size_t bytes = s->count * sizeof(*s->shared);

	s->items = mem_calloc(s->count, sizeof(*s->items));
	s->due = mem_calloc(s->count, sizeof(*s->due));
	s->fds = mem_calloc(s->count + 1, sizeof(*s->fds));
	s->shared = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s->shared == MAP_FAILED) {
		s->shared = NULL;
		return err_set(e, ERR_INTERNAL, NULL, "no memory to share: %s", strerror(errno));
	}
	for (unsigned i = 0; i < s->count; i++)
		s->items[i] = (struct shard) { .index = i, .pidfd = -1, .shared = &s->shared[i] };
	return 0;
}

static void shards_clear(struct shards *s)
{
	if (s->shared != NULL)
		(void)munmap(s->shared, s->count * sizeof(*s->shared));
	free(s->items);
	free(s->due);
	free(s->fds);
}

int shards_run(struct reconciler *r, struct pass_summary *ret_summary, struct err *e)
{
	CLEANUP(shards_clear)
	struct shards s = {
		.r = r,
		.summary = ret_summary,
		.count = (unsigned)conf_number(r->conf, CONF_SHARDS),
		.started_ms = clock_ms(),
		.stall_ms = conf_number(r->conf, CONF_STALL_TIME),
	};

	r->shard.count = s.count;
	r->claim_until_ms = s.started_ms + conf_number(r->conf, CONF_PASS_TIME);
	r->close_until_ms = r->claim_until_ms + 2 * conf_number(r->conf, CONF_KUBE_REQUEST_TIMEOUT);
	*ret_summary = (struct pass_summary) { .next_due_ms = UINT64_MAX };
	if (shards_init(&s, e) < 0)
		return -1;
	loop(&s);
	ask_when_next(&s);
	ret_summary->elapsed_ms = clock_ms() - s.started_ms;
	count_pass(ret_summary, !s.failed);
	if (s.failed)
		*e = s.error;
	return s.failed ? -1 : 0;
}
