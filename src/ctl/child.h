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
/* The same for one of PostgreSQL's programs, which connects by libpq's connection string, as `role`
 * if the string names no user. The string is passed in the environment, so that a password in it
 * does not appear among the arguments. */
int child_run_postgres(const char *conninfo, const char *role, const char *const argv[],
		       struct err *e);

#endif
