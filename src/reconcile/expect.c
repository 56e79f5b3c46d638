#include "reconcile/expect.h"

#include <string.h>
#include <time.h>

#include "base/json_at.h"
#include "kube/client.h"

/* Returns 0 if it is no time. */
static time_t read_time(const char *text)
{
	struct tm tm = { 0 };

	return strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) != NULL ? timegm(&tm) : 0;
}

uint64_t expect_age_ms(const struct view *v, const char *since)
{
	time_t now = observation_date(v->observation), from = read_time(since);

	if (now <= 0 || from <= 0)
		return v->row->status_age_ms;
	uint64_t age_ms = now > from ? (uint64_t)(now - from) * 1000 : 0;
	return age_ms < v->row->status_age_ms ? age_ms : v->row->status_age_ms;
}

const char *expect_applied_at(const json_t *object)
{
	size_t i;
	json_t *entry;

	json_array_foreach(json_at(object, "metadata.managedFields"), i, entry)
	{
		if (strcmp(json_text_at(entry, "manager"), KUBE_FIELD_MANAGER) == 0 &&
		    strcmp(json_text_at(entry, "operation"), "Apply") == 0)
			return json_text_at(entry, "time");
	}
	return "";
}
