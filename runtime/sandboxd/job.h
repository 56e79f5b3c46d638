#ifndef SANDBOXD_JOB_H
#define SANDBOXD_JOB_H

#include "sandboxd/conn.h"
#include "sandboxd/place.h"

/*
 * Work on files that may take long, in a child process, so that other clients are served meanwhile.
 * It continues when its client has disconnected.
 */

/* `work` gets an open directory and a name in it, and returns 0, or -1 with errno. Answers 204, or
 * the error. TOO_MANY. */
int job_start(struct conn *c, const struct place *p, int (*work)(int directory, const char *name),
	      struct err *e);

#endif
