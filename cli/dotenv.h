#ifndef FSA_CLI_DOTENV_H
#define FSA_CLI_DOTENV_H

#include <stddef.h>

#include <jansson.h>

#include "base/err.h"

/*
 * A .env file, as dotenv's users write it: lines NAME=VALUE, with or without `export`; empty lines
 * and comments. A value is bare, to the end of its line or to a blank with '#'; or between single
 * quotes or backticks, as it stands; or between double quotes, with \n, \r, \t, \\, \" and \$.
 * Quoted values may have several lines. Nothing is expanded: $HOME stays $HOME.
 *
 * `*ret_variables`: {name: value}; of a name that comes twice the last counts. ERR_INVALID names
 * the line.
 */
int dotenv_read(const char *text, size_t length, json_t **ret_variables, struct err *e);

#endif
