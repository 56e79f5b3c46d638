#include "web/status.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "base/log.h"
#include "base/notify.h"

struct status {
	_Atomic uint64_t requests;
	struct log_last last_error;
	char line[900];
};

struct status *status_new(void)
{
	struct status *s =
		mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (s == MAP_FAILED)
		return NULL;
	log_keep_last_error(&s->last_error);
	return s;
}

void status_count_request(struct status *s)
{
	if (s != NULL)
		(void)atomic_fetch_add_explicit(&s->requests, 1, memory_order_relaxed);
}

void status_report(struct status *s, unsigned workers, const char *trouble)
{
	char line[sizeof(s->line)], error[sizeof(s->last_error.text) + 48] = "no errors";
	struct tm at;

	if (s == NULL)
		return;
	if (s->last_error.at != 0) {
		size_t length = strftime(error, sizeof(error), "last error %Y-%m-%dT%H:%M:%SZ ",
					 gmtime_r(&s->last_error.at, &at));
		(void)snprintf(error + length, sizeof(error) - length, "%s", s->last_error.text);
	}
	(void)snprintf(line, sizeof(line), "%s%s%u workers, %" PRIu64 " requests served; %s",
		       trouble ? trouble : "", trouble ? "; " : "", workers, s->requests, error);
	if (strcmp(line, s->line) == 0)
		return;
	memcpy(s->line, line, sizeof(line));
	notify_status("%s", line);
}
