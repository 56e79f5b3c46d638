#ifndef FSA_CTL_CHILD_H
#define FSA_CTL_CHILD_H

#include "base/err.h"

/*
 * Programs that fsactl runs: found in PATH, without a shell. What they say to standard error goes
 * to ours; standard output goes to `output`, or nowhere with -1.
 */

/* `argv` ends with NULL. Waits; ERR_INTERNAL when it cannot be run or ends with another status than
 * 0. */
int child_run(const char *const argv[], int output, struct err *e);
/* The same of a program of PostgreSQL's, which connects as libpq's connection string says, or as
 * `role` where that names no user. The string goes by the environment: a password in it is not in
 * the process's arguments. */
int child_run_postgres(const char *conninfo, const char *role, const char *const argv[],
		       struct err *e);

#endif
