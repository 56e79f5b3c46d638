#ifndef FSA_CLI_ASK_H
#define FSA_CLI_ASK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* What a person is asked, on their terminal; never where input is a pipe. */

/* Whether they say yes; without a terminal ERR_INVALID with code USAGE: they must say --yes. */
int ask_yes(const char *question, bool *ret_yes, struct err *e);
/* A secret: on a terminal asked for, without echo; otherwise all of standard input, without the
 * line's end. ERR_INVALID: nothing, or too much. The caller wipes and frees. */
int ask_secret(const char *prompt, size_t max, char **ret_secret, struct err *e);

#endif
