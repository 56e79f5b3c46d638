#include "domain/explain.h"

#define SEES(seen) (1U << (seen))

enum { SEES_ANY = (1U << SEEN_COUNT) - 1 };

/* With which sights a cause of a kind is recorded. A refusal may be an API server's answer to us,
 * or to a controller that makes a pod for us. */
static unsigned sights_of(enum err_kind kind)
{
	switch (kind) {
	case ERR_KUBE_BILLING:
		return SEES(SEEN_SUSPENDED);
	case ERR_KUBE_QUOTA:
	case ERR_KUBE_ADMISSION:
		return SEES(SEEN_UNREACHABLE) | SEES(SEEN_BROKEN);
	case ERR_POD_IMAGE:
	case ERR_POD_CRASH:
	case ERR_POD_UNSCHEDULABLE:
	case ERR_POD_MOUNT:
	case ERR_POD_UNREADY:
	case ERR_POD_REFUSED:
	case ERR_DATABASE_FAILED:
		return SEES(SEEN_BROKEN);
	case ERR_DEADLINE:
		return SEES_ANY & ~(SEES(SEEN_UNREACHABLE) | SEES(SEEN_SUSPENDED));
	default:
		return SEES(SEEN_UNREACHABLE);
	}
}

struct decision explain_next(const struct told *told, enum seen seen)
{
	return decide(&(struct situation) {
		.desired = told->desired,
		.seen = seen,
		.told = told->status,
		.told_age_ms = told->status_age_ms,
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
	return !told->has_cause || (sights_of(told->cause_kind) & SEES(seen)) != 0;
}

uint64_t explain_deadline_ms(const struct told *told, enum seen seen)
{
	uint64_t deadline_ms = (uint64_t)transition_find(told->desired, seen)->deadline_s * 1000;
	struct told late = *told;

	late.status_age_ms = deadline_ms + 1;
	if (!explain_next(&late, seen).overdue)
		return UINT64_MAX;
	return deadline_ms > told->status_age_ms ? deadline_ms - told->status_age_ms : 0;
}
