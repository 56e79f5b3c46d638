/* Makes fsa.conf(5): copies fsa.conf.5.in, with each line `@option@` replaced by that option's
 * entry from the table (base/conf_table.c): its type, help and default. Further text about an
 * option follows that line in fsa.conf.5.in. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"

static void print_option(const struct conf_spec *spec)
{
	const char *type = conf_type_name(spec->type);

	(void)printf(".It Cm %s No = Ar ", spec->name);
	for (const char *p = type != NULL ? type : spec->choices; *p != '\0'; p++) {
		if (type == NULL && *p == ' ')
			(void)fputs(" | ", stdout);
		else
			(void)putchar(*p);
	}
	(void)printf("\n%s\n", spec->help);
	if (spec->required)
		(void)puts("Required: it has no default.");
	else if (spec->default_value == NULL)
		(void)puts("Default: none.");
	else
		(void)printf("Default:\n.Ql %s .\n", spec->default_value);
	if (spec->needs_restart)
		(void)puts("A change takes effect after a restart.");
}

/* Options are documented once each. */
static bool replace_line(const char *name, bool *documented)
{
	for (int i = 0; i < CONF_OPTION_COUNT; i++) {
		const struct conf_spec *spec = conf_spec((enum conf_option)i);
		if (strcmp(spec->name, name) != 0 || documented[i])
			continue;
		documented[i] = true;
		print_option(spec);
		return true;
	}
	(void)fprintf(stderr, "fsa.conf.5.in: @%s@: no such option, or a second time\n", name);
	return false;
}

int main(void)
{
	bool documented[CONF_OPTION_COUNT] = { false };
	bool complete = true;
	char line[1024];

	while (fgets(line, sizeof(line), stdin) != NULL) {
		char name[64];
		int end = 0;
		if (sscanf(line, "@%63[a-z_]@%n", name, &end) == 1 && end > 0)
			complete = replace_line(name, documented) && complete;
		else
			(void)fputs(line, stdout);
	}
	for (int i = 0; i < CONF_OPTION_COUNT; i++) {
		if (documented[i])
			continue;
		(void)fprintf(stderr, "fsa.conf.5.in: a line @%s@ is missing\n",
			      conf_spec((enum conf_option)i)->name);
		complete = false;
	}
	return complete && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
