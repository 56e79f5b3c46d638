#ifndef FSA_CLI_LINKS_H
#define FSA_CLI_LINKS_H

#include "base/err.h"

/* Whether no symbolic link in a folder leads to a folder outside of it. tar goes through those that
 * are there already, so that what a sandbox sent the last time would say where it writes now. */
int links_check(const char *folder, struct err *e);

#endif
