#ifndef FSA_KUBE_COUNT_H
#define FSA_KUBE_COUNT_H

#include <stdint.h>

#include "http/client.h"

/* Counts one HTTP request to an API server ("https://host:port") for the metrics. */
void kube_count_request(const char *server, const char *verb, const struct http_answer *answer,
			uint64_t us);

#endif
