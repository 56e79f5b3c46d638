#include "reconcile/bill.h"

#include <string.h>
#include <unistd.h>

#include "base/metric.h"
#include "base/spending.h"

/* Returns how long all users in debt must pause after this cost, to keep to their share of the
 * machine. */
static uint64_t pause_us(uint64_t charged_us)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	return BILL_SHARE * charged_us / (processors > 0 ? (uint64_t)processors : 1);
}

void bill_add(struct bill *bill, const char *user_id, bool in_debt, enum bill_outcome outcome)
{
	static const struct {
		uint64_t free_us, paying_us;
	} allowances[] = {
		[BILL_SUCCEEDED] = { BILL_FREE_US, BILL_FREE_US },
		[BILL_TRIED] = { BILL_TRIED_US, 0 },
		[BILL_FAILED] = { 0, 0 },
	};
	size_t i = 0;

	while (i < bill->count && strcmp(bill->items[i].user_id, user_id) != 0)
		i++;
	if (i == bill->count)
		bill->items[bill->count++] = (struct bill_item) { .user_id = user_id };
	bill->items[i].in_debt = bill->items[i].in_debt || in_debt;
	bill->items[i].free_us += allowances[outcome].free_us;
	bill->items[i].paying_us += allowances[outcome].paying_us;
}

struct spending bill_settle(const struct bill_item *item, uint64_t us)
{
	bool pays = item->in_debt && us < item->paying_us;

	return (struct spending) {
		.user_id = item->user_id,
		.charged_us = us > item->free_us ? us - item->free_us : 0,
		.paid_us = pays ? item->paying_us - us : 0,
	};
}

static struct spending take(const struct bill_item *item)
{
	uint64_t us = spending_take_us(item->user_id);
	const struct spending s = bill_settle(item, us);

	metric_observe_us(METRIC_SPENDING, us - s.charged_us, METRIC_LABELS("no"));
	metric_observe_us(METRIC_SPENDING, s.charged_us, METRIC_LABELS("yes"));
	return s;
}

int bill_charge(const struct bill *bill, struct db *db, struct err *e)
{
	struct spending items[BILL_MAX];
	uint64_t charged_us = 0;
	size_t count = 0;

	for (size_t i = 0; i < bill->count; i++) {
		const struct spending s = take(&bill->items[i]);
		charged_us += s.charged_us;
		if (s.charged_us > 0 || s.paid_us > 0)
			items[count++] = s;
	}
	return count > 0 ? spending_record(db, items, count, pause_us(charged_us), e) : 0;
}
