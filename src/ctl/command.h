#ifndef FSA_CTL_COMMAND_H
#define FSA_CTL_COMMAND_H

#include "base/conf.h"
#include "base/err.h"

/* The subcommands of fsactl(8), one file each; the table is in fsactl.c. `argv[0]` is the
 * subcommand's name. What they find goes to standard output; an error is returned, and printed by
 * main. ERR_INVALID with code USAGE: the command line is wrong. */
int command_migrate(const struct conf *conf, int argc, char **argv, struct err *e);
int command_keys(const struct conf *conf, int argc, char **argv, struct err *e);

#endif
