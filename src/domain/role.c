#include "domain/role.h"

#include <string.h>

static const char *const names[PROJECT_ROLE_COUNT] = {
	[PROJECT_OWNER] = "owner",
	[PROJECT_EDITOR] = "editor",
	[PROJECT_VIEWER] = "viewer",
};

const char *project_role_name(enum project_role role)
{
	return names[role];
}

bool project_role_parse(const char *name, enum project_role *ret_role)
{
	for (int role = 0; role < PROJECT_ROLE_COUNT; role++) {
		if (strcmp(names[role], name) == 0) {
			*ret_role = (enum project_role)role;
			return true;
		}
	}
	return false;
}
