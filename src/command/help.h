#ifndef FSA_COMMAND_HELP_H
#define FSA_COMMAND_HELP_H

#include <stdio.h>

#include "command/table.h"

/*
 * What a program says of itself, all of it from the table of commands. A family is the commands
 * that share their first word: user, project.
 */

/* Every command with every option. */
void help_print_all(const struct command_table *table, FILE *to);
/* For bash's completion and for tests: one line per command, with fields separated by tabs: its
 * name, its options (those with an argument end in '='), its arguments. */
void help_print_table(const struct command_table *table);

/* Whether --help is among a command's words. */
bool help_is_asked(int argc, char **argv);
/* The usage of one command, or, with NULL, of the family that `argv` begins with: to standard
 * output. False: there is no such family. */
bool help_print_about(const struct command_table *table, const struct command *command, int argc,
		      char **argv);
/* A line to standard error about words that are no command: which, and what there is. */
void help_say_unknown(const struct command_table *table, int argc, char **argv);

#endif
