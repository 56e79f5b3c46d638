#ifndef FSA_CLI_DOTENV_H
#define FSA_CLI_DOTENV_H

#include <stddef.h>

#include <jansson.h>

#include "base/err.h"

/*
 * A .env file, in dotenv's syntax: lines NAME=VALUE, with or without `export`; empty lines and
 * comments. A value is bare, and ends at the end of its line or at a blank followed by '#'; or in
 * single quotes or backticks, verbatim; or in double quotes, with \n, \r, \t, \\, \" and \$. Quoted
 * values may span several lines. Nothing is expanded: $HOME stays $HOME.
 *
 * `*ret_variables`: {name: value}; the last of several values of a name counts. ERR_INVALID names
 * the line.
 */
int dotenv_read(const char *text, size_t length, json_t **ret_variables, struct err *e);

#endif
