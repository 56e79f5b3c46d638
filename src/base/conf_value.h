#ifndef FSA_BASE_CONF_VALUE_H
#define FSA_BASE_CONF_VALUE_H

#include "base/conf.h"

/* Inside of base/conf: the types of values, and the combinations of them. */

struct conf_value {
	char *text;
	uint64_t number;
	unsigned line; /* 0: the default */
};

struct conf {
	struct conf_value values[CONF_OPTION_COUNT];
};

/* Reads a value of the option's type. ERR_INVALID: the message continues the option's name and says
 * what the value is not. */
int conf_value_parse(const struct conf_spec *spec, const char *text, struct conf_value *ret_value,
		     struct err *e);

/* What is wrong with values that are right each by itself. Adds to the problems. */
void conf_check(const struct conf *c, struct conf_problems *problems);

/* Notes a problem. */
struct conf_problem *conf_problem_add(struct conf_problems *problems, bool warning, unsigned line,
				      const char *format, ...)
	__attribute__((format(printf, 4, 5)));

#endif
