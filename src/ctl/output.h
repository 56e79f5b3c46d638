#ifndef FSA_CTL_OUTPUT_H
#define FSA_CTL_OUTPUT_H

#include <stdbool.h>

#include "command/output.h"
#include "ctl/command.h"

/* With --json: the value, and true. */
bool output_json(const struct call *call, const json_t *value);
/* An array of objects: JSON, or a table with titles. */
void output_list(const struct call *call, const struct output_column *columns, size_t count,
		 const json_t *rows);

#endif
