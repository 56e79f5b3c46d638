#ifndef FSA_DOMAIN_ROLE_H
#define FSA_DOMAIN_ROLE_H

#include <stdbool.h>

/* What somebody is to a project; each may do what those after it may. The words are those of the
 * PostgreSQL type; a test compares them. */
enum project_role { PROJECT_OWNER, PROJECT_EDITOR, PROJECT_VIEWER, PROJECT_ROLE_COUNT };

const char *project_role_name(enum project_role role);
bool project_role_parse(const char *name, enum project_role *ret_role);

#endif
