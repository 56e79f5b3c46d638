#include "domain/decide.h"

#define KEEPS(status) (1u << (status))
#define KEEPS_ANY     (~0u)

/* How long reaching a desired state may take, and how long a fault may last before it is an
 * error. */
enum {
	DEADLINE_RUNNING = 600,
	DEADLINE_STOPPED = 300,
	DEADLINE_GONE = 900,
	DEADLINE_BROKEN = 120,
};

/* docs/state-table.md shows this table; `make update-golden` regenerates it. */
static const struct transition table[DESIRED_COUNT][OBSERVED_COUNT] = {
	[DESIRED_RUNNING][OBSERVED_ABSENT] = {
		.action = ACTION_APPLY,
		.status = STATUS_CREATING,
		.requeue = REQUEUE_SOON,
		.deadline_s = DEADLINE_RUNNING,
		.comment = "does not exist: everything is created",
	},
	[DESIRED_RUNNING][OBSERVED_STOPPED] = {
		.action = ACTION_APPLY,
		.status = STATUS_STARTING,
		.requeue = REQUEUE_SOON,
		.deadline_s = DEADLINE_RUNNING,
		.comment = "scaled to zero: scaled up again",
	},
	[DESIRED_RUNNING][OBSERVED_STALE] = {
		.action = ACTION_APPLY,
		.status = STATUS_STARTING,
		.requeue = REQUEUE_SOON,
		.deadline_s = DEADLINE_RUNNING,
		.comment = "scaled to zero: scaled up again",
	},
	/* A creation that was cut short finds its objects incomplete: that is no update. */
	[DESIRED_RUNNING][OBSERVED_OUTDATED] = {
		.action = ACTION_APPLY,
		.status = STATUS_UPDATING,
		.keeps = KEEPS(STATUS_CREATING) | KEEPS(STATUS_STARTING),
		.requeue = REQUEUE_SOON,
		.deadline_s = DEADLINE_RUNNING,
		.comment = "differs from the desired state: applied again",
	},
	[DESIRED_RUNNING][OBSERVED_PROGRESSING] = {
		.action = ACTION_NONE,
		.status = STATUS_STARTING,
		.keeps = KEEPS(STATUS_UPDATING),
		.requeue = REQUEUE_SOON,
		.deadline_s = DEADLINE_RUNNING,
		.comment = "as desired, but not ready yet: the cluster is working on it",
	},
	[DESIRED_RUNNING][OBSERVED_READY] = {
		.action = ACTION_NONE,
		.status = STATUS_RUNNING,
		.requeue = REQUEUE_SETTLE,
		.comment = "as desired and ready: observed from time to time, for drift",
	},
	[DESIRED_RUNNING][OBSERVED_RESTARTED] = {
		.action = ACTION_NONE,
		.status = STATUS_RUNNING,
		.requeue = REQUEUE_SOON,
		.comment = "ready after a restart: observed soon, in case it ends again",
	},
	/* Many faults pass by themselves, so it is STARTING first; the cause is shown at once. */
	[DESIRED_RUNNING][OBSERVED_BROKEN] = {
		.action = ACTION_DIAGNOSE,
		.status = STATUS_STARTING,
		.requeue = REQUEUE_WATCH,
		.deadline_s = DEADLINE_BROKEN,
		.comment = "as desired, but broken: the cause is determined",
	},
	[DESIRED_RUNNING][OBSERVED_DELETING] = {
		.action = ACTION_NONE,
		.status = STATUS_STARTING,
		.keeps = KEEPS(STATUS_UPDATING),
		.requeue = REQUEUE_SOON,
		.deadline_s = DEADLINE_RUNNING,
		.comment = "being deleted: created again once it is gone",
	},
	[DESIRED_RUNNING][OBSERVED_BLOCKED] = {
		.action = ACTION_NONE,
		.status = STATUS_CREATING,
		.keeps = KEEPS(STATUS_STARTING) | KEEPS(STATUS_UPDATING),
		.requeue = REQUEUE_SOON,
		.deadline_s = DEADLINE_RUNNING,
		.comment = "waits for its database",
	},
	[DESIRED_RUNNING][OBSERVED_UNREACHABLE] = {
		.action = ACTION_NONE,
		.keeps = KEEPS_ANY,
		.requeue = REQUEUE_BACKOFF,
		.deadline_s = DEADLINE_RUNNING,
		.comment = "the cluster cannot be reached: nothing is known, so nothing is done",
	},
	[DESIRED_RUNNING][OBSERVED_SUSPENDED] = {
		.action = ACTION_NONE,
		.status = STATUS_STOPPED,
		.requeue = REQUEUE_RESYNC,
		.comment = "stopped by the cluster's operator: left stopped",
	},
	/* It is observed at the slow interval: the owner's next request makes it due. */
	[DESIRED_RUNNING][OBSERVED_AT_RISK] = {
		.action = ACTION_NONE,
		.keeps = KEEPS_ANY,
		.requeue = REQUEUE_RESYNC,
		.deadline_s = DEADLINE_RUNNING,
		.comment = "a change would lose its data: left as it is until the owner confirms",
	},

	[DESIRED_STOPPED][OBSERVED_ABSENT] = {
		.action = ACTION_NONE,
		.status = STATUS_STOPPED,
		.requeue = REQUEUE_RESYNC,
		.comment = "does not exist, so nothing runs",
	},
	[DESIRED_STOPPED][OBSERVED_STOPPED] = {
		.action = ACTION_NONE,
		.status = STATUS_STOPPED,
		.requeue = REQUEUE_RESYNC,
		.comment = "scaled to zero, and no pods are left",
	},
	/* Its Secret may contain values that its owner has replaced or withdrawn. */
	[DESIRED_STOPPED][OBSERVED_STALE] = {
		.action = ACTION_SCALE_DOWN,
		.status = STATUS_STOPPED,
		.requeue = REQUEUE_SOON,
		.comment = "stopped, but not as desired: applied again, still at zero",
	},
	[DESIRED_STOPPED][OBSERVED_OUTDATED] = {
		.action = ACTION_SCALE_DOWN,
		.status = STATUS_STOPPING,
		.requeue = REQUEUE_SOON,
		.deadline_s = DEADLINE_STOPPED,
		.comment = "differs from the desired state: scaled to zero",
	},
	/* A stop during a start gets here too, without waiting for the roll-out. */
	[DESIRED_STOPPED][OBSERVED_PROGRESSING] = {
		.action = ACTION_SCALE_DOWN,
		.status = STATUS_STOPPING,
		.requeue = REQUEUE_SOON,
		.deadline_s = DEADLINE_STOPPED,
		.comment = "starting, or pods are left: scaled to zero",
	},
	[DESIRED_STOPPED][OBSERVED_READY] = {
		.action = ACTION_SCALE_DOWN,
		.status = STATUS_STOPPING,
		.requeue = REQUEUE_SOON,
		.deadline_s = DEADLINE_STOPPED,
		.comment = "running: scaled to zero",
	},
	[DESIRED_STOPPED][OBSERVED_RESTARTED] = {
		.action = ACTION_SCALE_DOWN,
		.status = STATUS_STOPPING,
		.requeue = REQUEUE_SOON,
		.deadline_s = DEADLINE_STOPPED,
		.comment = "running: scaled to zero",
	},
	[DESIRED_STOPPED][OBSERVED_BROKEN] = {
		.action = ACTION_SCALE_DOWN,
		.status = STATUS_STOPPING,
		.requeue = REQUEUE_SOON,
		.deadline_s = DEADLINE_STOPPED,
		.comment = "broken, which does not matter now: scaled to zero",
	},
	[DESIRED_STOPPED][OBSERVED_DELETING] = {
		.action = ACTION_NONE,
		.status = STATUS_STOPPING,
		.requeue = REQUEUE_SOON,
		.deadline_s = DEADLINE_STOPPED,
		.comment = "being deleted, which stops it too",
	},
	[DESIRED_STOPPED][OBSERVED_BLOCKED] = {
		.action = ACTION_NONE,
		.status = STATUS_STOPPED,
		.requeue = REQUEUE_RESYNC,
		.comment = "was never created, so nothing runs",
	},
	[DESIRED_STOPPED][OBSERVED_UNREACHABLE] = {
		.action = ACTION_NONE,
		.keeps = KEEPS_ANY,
		.requeue = REQUEUE_BACKOFF,
		.deadline_s = DEADLINE_STOPPED,
		.comment = "the cluster cannot be reached: nothing is known, so nothing is done",
	},
	[DESIRED_STOPPED][OBSERVED_SUSPENDED] = {
		.action = ACTION_NONE,
		.status = STATUS_STOPPED,
		.requeue = REQUEUE_RESYNC,
		.comment = "stopped by the cluster's operator, as desired",
	},
	[DESIRED_STOPPED][OBSERVED_AT_RISK] = {
		.action = ACTION_NONE,
		.keeps = KEEPS_ANY,
		.requeue = REQUEUE_RESYNC,
		.deadline_s = DEADLINE_STOPPED,
		.comment = "a stop would lose its data: left as it is until the owner confirms",
	},

	[DESIRED_GONE][OBSERVED_ABSENT] = {
		.action = ACTION_FORGET,
		.status = STATUS_TERMINATED,
		.requeue = REQUEUE_NEVER,
		.comment = "confirmed to be gone: the row goes too",
	},
	[DESIRED_GONE][OBSERVED_STOPPED] = {
		.action = ACTION_DELETE,
		.status = STATUS_TERMINATING,
		.requeue = REQUEUE_SOON,
		.deadline_s = DEADLINE_GONE,
		.comment = "scaled to zero: deleted",
	},
	[DESIRED_GONE][OBSERVED_STALE] = {
		.action = ACTION_DELETE,
		.status = STATUS_TERMINATING,
		.requeue = REQUEUE_SOON,
		.deadline_s = DEADLINE_GONE,
		.comment = "scaled to zero: deleted",
	},
	[DESIRED_GONE][OBSERVED_OUTDATED] = {
		.action = ACTION_DELETE,
		.status = STATUS_TERMINATING,
		.requeue = REQUEUE_SOON,
		.deadline_s = DEADLINE_GONE,
		.comment = "whatever it is: deleted",
	},
	[DESIRED_GONE][OBSERVED_PROGRESSING] = {
		.action = ACTION_DELETE,
		.status = STATUS_TERMINATING,
		.requeue = REQUEUE_SOON,
		.deadline_s = DEADLINE_GONE,
		.comment = "starting or stopping: deleted",
	},
	[DESIRED_GONE][OBSERVED_READY] = {
		.action = ACTION_DELETE,
		.status = STATUS_TERMINATING,
		.requeue = REQUEUE_SOON,
		.deadline_s = DEADLINE_GONE,
		.comment = "running: deleted",
	},
	[DESIRED_GONE][OBSERVED_RESTARTED] = {
		.action = ACTION_DELETE,
		.status = STATUS_TERMINATING,
		.requeue = REQUEUE_SOON,
		.deadline_s = DEADLINE_GONE,
		.comment = "running: deleted",
	},
	[DESIRED_GONE][OBSERVED_BROKEN] = {
		.action = ACTION_DELETE,
		.status = STATUS_TERMINATING,
		.requeue = REQUEUE_SOON,
		.deadline_s = DEADLINE_GONE,
		.comment = "broken, which does not matter now: deleted",
	},
	/* Not all objects are marked as deleted at once, so the rest is deleted again. */
	[DESIRED_GONE][OBSERVED_DELETING] = {
		.action = ACTION_DELETE,
		.status = STATUS_TERMINATING,
		.requeue = REQUEUE_SOON,
		.deadline_s = DEADLINE_GONE,
		.comment = "being deleted: what is left is deleted, too",
	},
	[DESIRED_GONE][OBSERVED_BLOCKED] = {
		.action = ACTION_DELETE,
		.status = STATUS_TERMINATING,
		.requeue = REQUEUE_SOON,
		.deadline_s = DEADLINE_GONE,
		.comment = "was never created: anything that exists is deleted",
	},
	[DESIRED_GONE][OBSERVED_UNREACHABLE] = {
		.action = ACTION_NONE,
		.keeps = KEEPS_ANY,
		.requeue = REQUEUE_BACKOFF,
		.deadline_s = DEADLINE_GONE,
		.comment = "the cluster cannot be reached: not gone until that is confirmed",
	},
	[DESIRED_GONE][OBSERVED_SUSPENDED] = {
		.action = ACTION_DELETE,
		.status = STATUS_TERMINATING,
		.requeue = REQUEUE_SOON,
		.deadline_s = DEADLINE_GONE,
		.comment = "stopped by the cluster's operator, who allows deletes",
	},
	[DESIRED_GONE][OBSERVED_AT_RISK] = {
		.action = ACTION_DELETE,
		.status = STATUS_TERMINATING,
		.requeue = REQUEUE_SOON,
		.deadline_s = DEADLINE_GONE,
		.comment = "its data is to be lost, too: deleted",
	},
};

const struct transition *transition_find(enum desired desired, enum observed observed)
{
	return &table[desired][observed];
}

bool status_is_goal(enum status status)
{
	return status == STATUS_RUNNING || status == STATUS_STOPPED || status == STATUS_TERMINATED;
}

/* Returns the next status, before the deadline is considered. */
static enum status next_status(const struct transition *t, enum status current)
{
	if (t->keeps & KEEPS(current))
		return current;
	if (current == STATUS_ERROR && !status_is_goal(t->status))
		return current;
	return t->status;
}

struct decision decide(const struct situation *s)
{
	const struct transition *t = transition_find(s->desired, s->observed);
	enum status status = next_status(t, s->status);
	/* A status that begins now is not overdue, and an ERROR cannot become one again. */
	unsigned deadline_s =
		t->deadline_s > 0 && s->deadline_s > 0 ? s->deadline_s : t->deadline_s;
	bool overdue = deadline_s > 0 && status == s->status && status != STATUS_ERROR &&
		       !status_is_goal(status) && s->status_age_ms > (uint64_t)deadline_s * 1000;

	if (overdue)
		status = STATUS_ERROR;
	bool backs_off = s->refused || (t->requeue == REQUEUE_WATCH && status == STATUS_ERROR);
	return (struct decision) {
		.transition = t,
		.action = t->action,
		.status = status,
		.requeue = backs_off ? REQUEUE_BACKOFF : t->requeue,
		.overdue = overdue,
	};
}

unsigned deadline_for_node(enum desired desired, enum observed observed, unsigned unschedulable_s)
{
	unsigned table_s = transition_find(desired, observed)->deadline_s;

	return observed == OBSERVED_BROKEN || unschedulable_s > table_s ? unschedulable_s : 0;
}

enum observed observed_of_failure(enum err_kind kind)
{
	return kind == ERR_KUBE_BILLING ? OBSERVED_SUSPENDED : OBSERVED_UNREACHABLE;
}

bool requeue_backs_off(enum requeue requeue)
{
	return requeue == REQUEUE_BACKOFF || requeue == REQUEUE_WATCH;
}

enum requeue requeue_with_cause(enum requeue requeue, enum err_kind kind)
{
	return requeue_backs_off(requeue) && err_kind_retry(kind) == ERR_RETRY_SLOW ? REQUEUE_RESYNC
										    : requeue;
}

static uint64_t spread(uint64_t base, uint64_t span, uint32_t random)
{
	return base - span + random % (2 * span + 1);
}

static uint64_t backoff_ms(unsigned attempts, uint64_t last_ms, unsigned retry_after_s,
			   uint32_t random)
{
	enum { FIRST_MS = 1000, DOUBLINGS = 16 };
	unsigned doublings = attempts > 1 ? attempts - 1 : 0;
	uint64_t grown = (uint64_t)FIRST_MS << (doublings < DOUBLINGS ? doublings : DOUBLINGS);
	uint64_t base = grown < last_ms ? grown : last_ms;
	uint64_t delay = spread(base, base / 4, random);
	uint64_t floor = (uint64_t)retry_after_s * 1000;

	/* Rows with the same due time would all come back at once; later is allowed, earlier is
	 * not. */
	return delay < floor ? floor + random % (floor / 4 + 1) : delay;
}

uint64_t requeue_delay_ms(enum requeue requeue, uint64_t status_age_ms, unsigned attempts,
			  uint64_t resync_ms, unsigned retry_after_s, uint32_t random)
{
	enum { AGAIN_FIRST_MS = 500, AGAIN_LAST_MS = 10000, BACKOFF_LAST_MS = 120000 };
	enum { SETTLE_FIRST_MS = 15000 };
	uint64_t tenth = status_age_ms / 10;

	switch (requeue) {
	case REQUEUE_NEVER:
		break;
	case REQUEUE_SOON:
		if (tenth < AGAIN_FIRST_MS)
			return AGAIN_FIRST_MS;
		return tenth < AGAIN_LAST_MS ? tenth : AGAIN_LAST_MS;
	case REQUEUE_SETTLE:
		if (status_age_ms < SETTLE_FIRST_MS)
			status_age_ms = SETTLE_FIRST_MS;
		if (status_age_ms < resync_ms)
			return spread(status_age_ms, status_age_ms / 10, random);
		return spread(resync_ms, resync_ms / 10, random);
	case REQUEUE_RESYNC:
		return spread(resync_ms, resync_ms / 10, random);
	case REQUEUE_BACKOFF:
		return backoff_ms(attempts, BACKOFF_LAST_MS, retry_after_s, random);
	case REQUEUE_WATCH:
		return backoff_ms(attempts, AGAIN_LAST_MS, retry_after_s, random);
	}
	return 0;
}

bool requeue_is_steady(enum requeue requeue, uint64_t status_age_ms, uint64_t resync_ms)
{
	return requeue == REQUEUE_RESYNC ||
	       (requeue == REQUEUE_SETTLE && status_age_ms >= resync_ms);
}
