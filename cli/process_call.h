#ifndef FSA_CLI_PROCESS_CALL_H
#define FSA_CLI_PROCESS_CALL_H

#include "sandbox.h"

/* Single requests about a process in a sandbox, by its id; with another token, if need be. */

/* `what` comes after the process's own path: "/signal", "?wait=1", … */
int process_call(struct sandbox *sandbox, const char *id, const char *method, const char *what,
		 const json_t *body, json_t **ret_answer, struct err *e);
/* Succeeds, too, if the process has ended; fails only if the sandbox is out of reach. */
int process_signal(struct sandbox *sandbox, const char *id, const char *name, struct err *e);
/* After an interruption: sends TERM, then KILL after `patience_s` seconds. `e` is set if the
 * process may still run. */
void process_end(struct sandbox *sandbox, const char *id, unsigned patience_s, struct err *e);

#endif
