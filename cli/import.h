#ifndef FSA_CLI_IMPORT_H
#define FSA_CLI_IMPORT_H

#include "site.h"

/* Adds the member "import" to a project that has a repository and runs: what its sandbox reports,
 * or the status "unknown" with the reason. */
void import_add(struct site *site, json_t *project);

#endif
