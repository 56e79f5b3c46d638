#ifndef FSA_STORE_LIVE_H
#define FSA_STORE_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "db/db.h"
#include "store/column.h"
#include "store/store.h"

/*
 * The input of fsa-events: notifications that something has changed (sql/0008_live.sql), and the
 * present state of it.
 */

/* Begins to listen; see db_listen(). A notification with an empty payload says that there are
 * changes to announce. */
int live_listen(struct db *listener, struct err *e);
struct live_announced {
	int64_t count;
	int64_t horizon; /* of transactions: all below had ended before this was read */
};
/* Turns committed changes into notifications, for the listeners of all hosts; the first caller does
 * it. Changes older than a minute are dropped (queue_housekeeping()). */
int live_announce(struct db *db, struct live_announced *ret, struct err *e);
/* For the next five seconds, transactions that leave changes do not notify: the caller announces
 * their changes every few milliseconds. */
int live_watch(struct db *db, struct err *e);
/* From now on they do. Transactions that began earlier may leave changes without notifying: the
 * caller may rest once an announcement's horizon has reached `*ret_horizon`. */
int live_rest(struct db *db, int64_t *ret_horizon, struct err *e);

struct live_change {
	char user_id[STORE_ID_LENGTH + 1];
	char project_id[STORE_ID_LENGTH + 1]; /* "": see below */
	bool kubeconfig; /* the check of the user's; neither: their access may have ended */
};
/* False for a payload that live_announce() would not send. */
bool live_change_parse(const char *payload, struct live_change *ret_change);

/* As text; NULL for no cause and no warnings (for warnings_json()). */
/* clang-format off */
#define LIVE_MEMBER(of, type, member, sql, json) const char *member;
struct live_resource {
	RESOURCE_STATUS_COLUMNS(LIVE_MEMBER, )
	RESOURCE_CAUSE_COLUMNS(LIVE_MEMBER, )
	RESOURCE_KIND_COLUMNS(LIVE_MEMBER, )
};
struct live_project {
	PGresult *result;
	PROJECT_STATUS_COLUMNS(LIVE_MEMBER, )
	struct live_resource *resources; /* sandboxes, the first one first, and the database */
	size_t resource_count;
};
/* clang-format on */
/* ERR_NOT_FOUND when it has gone. */
int live_project_get(struct db *db, const char *user_id, const char *project_id,
		     struct live_project *ret_project, struct err *e);
void live_project_clear(struct live_project *project);

/* All users, since any may have a stream: also one who is disabled, or whose last session has just
 * been removed. */
struct live_users {
	PGresult *result;
	size_t count;
};
int live_users_list(struct db *db, struct live_users *ret_users, struct err *e);
const char *live_users_id(const struct live_users *users, size_t index);
void live_users_clear(struct live_users *users);

#endif
