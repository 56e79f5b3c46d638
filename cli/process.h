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
	json_t *command;       /* a line for bash, or an array */
	json_t *environment;   /* added to the sandbox's; NULL: nothing */
	int input;             /* a descriptor that is its standard input; -1: none */
	const char *first;     /* standard input that comes before that; NULL: none */
	bool signals;          /* whether signals that this program gets are passed on */
	bool terminal;         /* it has one, always as large as standard input's */
	bool drop;             /* its output does not hold it up when nobody reads */
	unsigned unattended_s; /* after which it gets SIGHUP when this program has gone; 0: never.
				* An older sandboxd lets it run on. */
	uint64_t max_ms;       /* after which the process is ended; 0: never */
	uint64_t away_max_ms;  /* how long the sandbox may be out of reach; 0: ten minutes */
	/* Output as it arrives. False: it has no reader any more, and the process gets SIGHUP. */
	bool (*write)(void *user, enum process_stream stream, const void *data, size_t length);
	/* Input as it was typed; may be changed before it is sent, but not made longer. False:
	 * leaves the process running. May be NULL. */
	bool (*typed)(void *user, char *data, size_t *length);
	/* The sandbox is out of reach since a moment ago, or is in reach again. May be NULL. */
	void (*away)(void *user, bool away);
	void *user;
};

/* Cancelling (site.cancelled), even while the process is just starting, ends the process: by TERM,
 * and a second later by KILL. Afterwards, either sandboxd has confirmed that it has ended, or the
 * error says that it may still run. `*ret_process`: the OpenAPI's Process, after its end; with
 * "timedOut" if it took longer than max_ms; NULL: it was left (`typed`). ERR_NOT_FOUND with code
 * PROCESS_GONE: it began, and the sandbox does not know it any more, or ended it while it was
 * unattended. ERR_UNAVAILABLE: the sandbox
 * was out of reach for too long; the process may still run. */
int process_run(struct sandbox *sandbox, const struct process_options *options,
		json_t **ret_process, struct err *e);

#endif
