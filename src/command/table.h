#ifndef FSA_COMMAND_TABLE_H
#define FSA_COMMAND_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * Command lines of programs with subcommands. A program has a table of commands and one of options;
 * from these come the parsing of its command line, --help (command/help.h) and bash's completion.
 */
struct call; /* a command line that was found to be right: the program's own */

struct command_option_spec {
	const char *name;     /* without the hyphens */
	const char *argument; /* what stands for it in the help; NULL: it takes none */
	const char *help;
};

/* The first option of every program: every command takes it. */
enum { COMMAND_OPTION_JSON = 0, COMMAND_OPTIONS_MAX = 60 };

enum { COMMAND_EXIT_USAGE = 2 }; /* the command line is wrong */

/* May stand beside the options: what follows the first argument is not parsed, as in "run PROJECT
 * ls -l". */
#define COMMAND_VERBATIM (1ULL << 60)

struct command {
	const char *name;      /* one word, or a family's and its own: "user list" */
	const char *arguments; /* for the help: "USER" */
	int arguments_min, arguments_max;
	uint64_t options; /* 1ULL << the option's index; JSON is understood */
	const char *help;
	/* What it finds goes to standard output. Returns the exit status: 0, or 1 for findings
	 * that somebody must look at; or -1 with an error, which main prints. ERR_INVALID with
	 * code USAGE: the command line is wrong. */
	int (*run)(const struct call *call, struct err *e);
};

struct command_table {
	const char *program;
	struct command_option_spec global; /* the option before the command: --config FILE */
	const struct command *commands;
	size_t count;
	const struct command_option_spec *options;
	unsigned option_count;
};

bool command_takes(const struct command *command, unsigned option);
/* Finds the command that `argv` begins with, and how many of its words are the name; NULL if there
 * is none. */
const struct command *command_find(const struct command_table *table, int argc, char **argv,
				   int *ret_words);
/* Reads options and arguments of a command; `argv[0]` is the last word of its name. `ret_options`
 * has a place for each option: NULL: not given; "" for one without an argument. `*ret_first` is
 * where the arguments begin. ERR_INVALID with code USAGE. */
int command_parse(const struct command_table *table, const struct command *command, int argc,
		  char **argv, const char **ret_options, int *ret_first, struct err *e);

#endif
