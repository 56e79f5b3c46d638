#include "ctl/output.h"

bool output_json(const struct call *call, const json_t *value)
{
	if (call->options[OPTION_JSON] == NULL)
		return false;
	output_value(value);
	return true;
}

void output_list(const struct call *call, const struct output_column *columns, size_t count,
		 const json_t *rows)
{
	if (!output_json(call, rows))
		output_rows(columns, count, rows);
}
