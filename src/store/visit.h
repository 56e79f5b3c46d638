#ifndef FSA_STORE_VISIT_H
#define FSA_STORE_VISIT_H

#include <stdbool.h>

#include "db/db.h"
#include "domain/types.h"
#include "store/store.h"

/*
 * Visits: somebody asks for an address of a sandbox (of its app, its terminal or an open port) that
 * leads to this site, because the sandbox is stopped. `projects.wake` says who starts it by that.
 */
#define VISIT_WAKE_PATTERN "^(owner|members|anyone|never)$"
enum { VISIT_HOST_MAX = 253 };

struct visit {
	char sandbox_id[STORE_ID_LENGTH + 1];
	char project_id[STORE_ID_LENGTH + 1];
	char owner_id[STORE_ID_LENGTH + 1];
	bool by_member; /* or the owner: they see the project */
	bool of_terminal;
	enum desired desired;
	enum status status;
};

/*
 * Finds the sandbox that has the address, if `visitor_id` (NULL: nobody who is logged in) may start
 * it. ERR_NOT_FOUND with code ADDRESS_NOT_FOUND otherwise, so that nobody learns which addresses
 * there are: there is none, it is another's, the project is deleted, or its owner disabled. One
 * statement, which writes nothing.
 */
int visit_find(struct db *db, const char *host, const char *visitor_id, struct visit *ret_visit,
	       struct err *e);
/* Whether a sandbox that has the address is RUNNING, as everybody can see who connects to it. */
int visit_is_running(struct db *db, const char *host, bool *ret_running, struct err *e);
/*
 * Starts the sandbox and its project's database, unless somebody else has done so since
 * visit_find(): however many visit it, there is one start, which `*ret_started` says. The errors
 * are those of an owner's start: quotas, PROJECT_ENDED, ERR_DATA_AT_RISK, maintenance.
 */
int visit_start(struct db *db, const struct visit *visit, bool *ret_started, struct err *e);

#endif
