#include "kube/count.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/metric.h"

static const char *const failures[HTTP_FAILURE_COUNT] = {
	[HTTP_ADDRESS_FORBIDDEN] = "address-forbidden",
	[HTTP_UNREACHABLE] = "unreachable",
	[HTTP_TIMEOUT] = "timeout",
	[HTTP_TLS] = "tls",
	[HTTP_COSTLY_CERTIFICATES] = "costly-certificates",
	[HTTP_NO_CONTENT] = "no-content",
	[HTTP_TOO_LARGE] = "too-large",
	[HTTP_CUT_OFF] = "cut-off",
	[HTTP_PROTOCOL] = "protocol",
};

/* The statuses that Kubernetes returns. Others are counted by class, because a server may send
 * anything and each code is a time series. */
static const short statuses[] = { 200, 201, 202, 400, 401, 403, 404, 405, 409,
				  410, 415, 422, 429, 500, 502, 503, 504 };

static void name_code(const struct http_answer *answer, char *ret_code, size_t size)
{
	if (answer->failure != HTTP_OK) {
		(void)snprintf(ret_code, size, "%s", failures[answer->failure]);
		return;
	}
	(void)snprintf(ret_code, size, "%dxx", (int)(answer->status / 100 % 10));
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		if (statuses[i] == answer->status)
			(void)snprintf(ret_code, size, "%d", statuses[i]);
	}
}

void kube_count_request(const char *server, const char *verb, const struct http_answer *answer,
			uint64_t us)
{
	static const char scheme[] = "https://";
	size_t skipped = strncmp(server, scheme, sizeof(scheme) - 1) == 0 ? sizeof(scheme) - 1 : 0;
	char code[32];

	name_code(answer, code, sizeof(code));
	metric_add(METRIC_KUBE_REQUESTS, 1, METRIC_LABELS(server + skipped, verb, code));
	metric_observe_us(METRIC_KUBE_SECONDS, us, METRIC_LABELS(verb));
}
