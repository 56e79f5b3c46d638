#include "domain/explain.h"

#define SEES(seen) (1U << (seen))

enum { SEES_ANY = (1U << SEEN_COUNT) - 1 };

/* Whether the action of a row of the table changes something in the cluster, which may refuse it.
 */
static bool is_write(enum desired desired, enum seen seen)
{
	enum action action = transition_find(desired, seen)->action;

	return action == ACTION_APPLY || action == ACTION_SCALE_DOWN || action == ACTION_DELETE;
}

/* With which sights a cause of a kind is recorded. */
static unsigned sights_of(enum desired desired, enum err_kind kind)
{
	unsigned sights = SEES(SEEN_UNREACHABLE);

	switch (kind) {
	case ERR_KUBE_BILLING:
		return SEES(SEEN_SUSPENDED);
	case ERR_POD_UNSCHEDULABLE:
		return SEES(SEEN_BROKEN) | SEES(SEEN_PROGRESSING); /* a node is being added */
	case ERR_DATA_AT_RISK:
		return SEES(SEEN_AT_RISK);
	case ERR_POD_IMAGE:
	case ERR_POD_CRASH:
	case ERR_POD_MOUNT:
	case ERR_POD_UNREADY:
	case ERR_POD_REFUSED:
	case ERR_DATABASE_FAILED:
		return SEES(SEEN_BROKEN);
	case ERR_DEADLINE:
	case ERR_POD_TERMINATING:
	case ERR_OBJECT_HELD:
		return SEES_ANY & ~(SEES(SEEN_UNREACHABLE) | SEES(SEEN_SUSPENDED));
	default:
		break;
	}
	/* An answer to a read, or to what was done about what was seen. A refusal may also be an
	 * answer to a controller that makes a pod for us. */
	for (unsigned seen = 0; seen < SEEN_COUNT; seen++)
		sights |= is_write(desired, (enum seen)seen) ? SEES(seen) : 0;
	if (kind == ERR_KUBE_QUOTA || kind == ERR_KUBE_ADMISSION)
		sights |= SEES(SEEN_BROKEN);
	return sights;
}

/* Whether the cause is that the action was refused. */
static bool is_refused(const struct told *told, enum seen seen)
{
	if (!told->has_cause || !is_write(told->desired, seen))
		return false;
	return told->cause_kind != ERR_DEADLINE && told->cause_kind != ERR_POD_TERMINATING &&
	       told->cause_kind != ERR_OBJECT_HELD && told->cause_kind != ERR_KUBE_BILLING &&
	       told->cause_kind != ERR_DATA_AT_RISK;
}

/* 0: the table's. */
static unsigned own_deadline_s(const struct told *told, enum seen seen)
{
	if (!told->has_cause || told->cause_kind != ERR_POD_UNSCHEDULABLE)
		return 0;
	return deadline_for_node(told->desired, seen, told->unschedulable_s);
}

struct decision explain_next(const struct told *told, enum seen seen)
{
	return decide(&(struct situation) {
		.desired = told->desired,
		.seen = seen,
		.told = told->status,
		.told_age_ms = told->status_age_ms,
		.refused = is_refused(told, seen),
		.deadline_s = own_deadline_s(told, seen),
	});
}

/* What the table says while no deadline has passed. */
static struct decision in_time(const struct told *told, enum seen seen)
{
	struct told young = *told;

	young.status_age_ms = 0;
	return explain_next(&young, seen);
}

bool explain_fits(const struct told *told, enum seen seen)
{
	struct decision d = in_time(told, seen);

	if (d.status != told->status)
		return false;
	/* Attempts are counted for as long as something is wrong, and for nothing else; a wish
	 * begins anew. */
	if (told->attempts > 0 ? !pace_backs_off(d.pace) : told->looked && pace_backs_off(d.pace))
		return false;
	/* Who is held up is told why. */
	if (seen == SEEN_AT_RISK && told->looked && !told->has_cause)
		return false;
	/* An ERROR without attempts that fail keeps the cause that it began with. */
	return !told->has_cause || (told->status == STATUS_ERROR && told->attempts == 0) ||
	       (sights_of(told->desired, told->cause_kind) & SEES(seen)) != 0;
}

uint64_t explain_deadline_ms(const struct told *told, enum seen seen)
{
	unsigned own_s = own_deadline_s(told, seen);
	unsigned table_s = transition_find(told->desired, seen)->deadline_s;
	uint64_t deadline_ms = (uint64_t)(own_s > 0 ? own_s : table_s) * 1000;
	struct told late = *told;

	late.status_age_ms = deadline_ms + 1;
	if (!explain_next(&late, seen).overdue)
		return UINT64_MAX;
	return deadline_ms > told->status_age_ms ? deadline_ms - told->status_age_ms : 0;
}
