#ifndef FSA_CLI_RUN_H
#define FSA_CLI_RUN_H

#include "command.h"
#include "process.h"

/* Runs a process until its end and returns its exit code: of the options, command, environment and
 * input. Its output goes to standard output and error as it is, or with --json is one object, as of
 * collected_json(), with the terminal session that it is in (NULL: none). */
int run_process(const struct call *call, struct sandbox *sandbox, struct process_options options,
		const char *session, struct err *e);

/* For process_options.write: to standard output and error, as it is. */
bool run_write_through(void *user, enum process_stream stream, const void *data, size_t length);
/* That of `run`, from the OpenAPI's Process: 128 plus a signal's number. */
int run_exit_code(const json_t *process);

/* Output as JSON's text: bytes that are not UTF-8 become '?'. */
json_t *run_text(struct buf *output);

/* The output of a process: the beginning of each stream, and how much more there was. */
enum { COLLECTED_MAX = 8 << 20 };

struct collected {
	struct buf text[PROCESS_STREAMS];
	size_t dropped[PROCESS_STREAMS];
};

void collected_init(struct collected *c, size_t max);
void collected_release(struct collected *c); /* for CLEANUP, too */
/* For process_options.write. */
bool collected_add(void *user, enum process_stream stream, const void *data, size_t length);
/* {exitCode, signal, stdout, stderr}; bytes that are not UTF-8 become '?'. */
json_t *collected_json(struct collected *c, const json_t *process);

#endif
