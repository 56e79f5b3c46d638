#ifndef FSA_BASE_COMMAND_LINE_H
#define FSA_BASE_COMMAND_LINE_H

#include <stdbool.h>

/*
 * The command line of a program without subcommands: long options, and no arguments. Every program
 * has --help and --version; its other options are rows of a table.
 */
struct command_line_option {
	const char *name;          /* NULL: the end of the table */
	const char **ret_argument; /* becomes the option's argument; NULL: it has none, */
	bool *ret_given;           /* and this becomes true */
};

struct command_line {
	const char *program;
	const char *usage; /* the text of --help, with line feeds */
	const struct command_line_option *options;
};

enum { COMMAND_LINE_OPTIONS_MAX = 8 };

/* Returns false when the program is to end with `*ret_exit`: after --help or --version, or, with
 * EX_USAGE, because of an error, which has been printed. */
bool command_line_read(const struct command_line *line, int argc, char **argv, int *ret_exit);

#endif
