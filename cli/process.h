#ifndef FSA_CLI_PROCESS_H
#define FSA_CLI_PROCESS_H

#include "sandbox.h"

/*
 * A process in a sandbox, with all that flows. Output is asked for from an offset, and input is
 * sent at one: what a lost connection has cut off goes on where it was, and no byte is lost or
 * doubled.
 */
enum process_stream { PROCESS_STDOUT, PROCESS_STDERR, PROCESS_STREAMS };

struct process_options {
	json_t *command; /* a line for bash, or an array */
	int input;       /* a descriptor that is its standard input; -1: none */
	bool signals;    /* those that this program gets are passed on */
	uint64_t max_ms; /* then it is ended; 0: never */
	/* Output as it comes. False: nobody reads it any more, and the process is told to hang up.
	 */
	bool (*write)(void *user, enum process_stream stream, const void *data, size_t length);
	void *user;
};

/* `*ret_process`: Process of the OpenAPI, after its end; with "timedOut" when it took too long.
 * ERR_UNAVAILABLE: the sandbox was out of reach for too long; the process may go on. */
int process_run(struct sandbox *sandbox, const struct process_options *options,
		json_t **ret_process, struct err *e);

#endif
