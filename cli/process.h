#ifndef FSA_CLI_PROCESS_H
#define FSA_CLI_PROCESS_H

#include "sandbox.h"

/*
 * A process in a sandbox, with its input, output and signals. Output is requested from an offset,
 * and input is sent at one: after a lost connection both continue where they stopped, and no byte
 * is lost or repeated.
 */
enum process_stream { PROCESS_STDOUT, PROCESS_STDERR, PROCESS_STREAMS };

struct process_options {
	json_t *command; /* a line for bash, or an array */
	int input;       /* a descriptor that is its standard input; -1: none */
	bool signals;    /* whether signals that this program gets are passed on */
	uint64_t max_ms; /* after which the process is ended; 0: never */
	/* Output as it arrives. False: nobody reads it any more, and the process gets SIGHUP. */
	bool (*write)(void *user, enum process_stream stream, const void *data, size_t length);
	void *user;
};

/* `*ret_process`: the OpenAPI's Process, after its end; with "timedOut" if it took longer than
 * max_ms. ERR_UNAVAILABLE: the sandbox was out of reach for too long; the process may still run. */
int process_run(struct sandbox *sandbox, const struct process_options *options,
		json_t **ret_process, struct err *e);

#endif
