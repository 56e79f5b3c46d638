#ifndef FSA_COMMAND_OPTIONS_H
#define FSA_COMMAND_OPTIONS_H

#include "command/table.h"

/* Reads the options before the command: the table's own, whose argument becomes `*ret_global`, and
 * --help, --version and --commands. Returns false when the program is to end with `*ret_exit`. */
bool options_read(const struct command_table *table, int argc, char **argv, const char **ret_global,
		  int *ret_exit);

#endif
