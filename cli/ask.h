#ifndef FSA_CLI_ASK_H
#define FSA_CLI_ASK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* Questions to a person on their terminal; never asked if input is a pipe. */

/* Whether the answer is yes. Without a terminal, ERR_INVALID with code USAGE, which asks
 * for --yes. */
int ask_yes(const char *question, bool *ret_yes, struct err *e);
/* A secret: prompted for on a terminal, without echo; otherwise all of standard input, without the
 * final newline. ERR_INVALID: nothing, or too much. The caller wipes and frees. */
int ask_secret(const char *prompt, size_t max, char **ret_secret, struct err *e);

#endif
