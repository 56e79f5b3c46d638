#ifndef FSA_CLI_RUN_H
#define FSA_CLI_RUN_H

#include "process.h"

/* What a process prints, kept: of each stream the beginning, and how much did not fit. */
enum { COLLECTED_MAX = 8 << 20 };

struct collected {
	struct buf text[PROCESS_STREAMS];
	size_t dropped[PROCESS_STREAMS];
};

void collected_init(struct collected *c, size_t max);
void collected_release(struct collected *c); /* for CLEANUP, too */
/* For process_options. */
bool collected_add(void *user, enum process_stream stream, const void *data, size_t length);
/* {exitCode, signal, stdout, stderr}; what is not UTF-8 in it is '?'. */
json_t *collected_json(struct collected *c, const json_t *process);

#endif
