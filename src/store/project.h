#ifndef FSA_STORE_PROJECT_H
#define FSA_STORE_PROJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "db/db.h"
#include "domain/types.h"
#include "store/column.h"
#include "store/store.h"

/* The columns are explained in the schema (sql/). Those of a cause are NULL when there is none,
 * those of a connection until the database has been made. */
/* clang-format off */
struct project {
	PROJECT_COLUMNS(COLUMN_MEMBER, )
};

/* What sandboxes and databases have in common. */
#define NO_SQL(column) ""
struct resource {
	RESOURCE_COLUMNS(COLUMN_MEMBER, )
	RESOURCE_OWNER_COLUMNS(COLUMN_MEMBER, )
	SIZE_COLUMNS(COLUMN_MEMBER, , NO_SQL)
};

struct sandbox {
	struct resource resource;
	SANDBOX_COLUMNS(COLUMN_MEMBER, )
	SANDBOX_OWNER_COLUMNS(COLUMN_MEMBER, )
};

struct database {
	struct resource resource;
	DATABASE_COLUMNS(COLUMN_MEMBER, )
	CONNECTION_COLUMNS(COLUMN_MEMBER, )
};
/* clang-format on */

struct project_filter {
	const char *keyword;      /* in name or description, without case; NULL: any */
	const char *created_from; /* inclusive, ISO 8601; NULL: any */
	const char *created_to;   /* inclusive */
	unsigned limit;           /* rows at most; 0: no limit */
	bool trash;               /* those in the trash instead of the others */
	const char *cursor;       /* as given in ret_next_cursor; NULL: from the newest */
};

/* A project with its parts. A page begins with the newest; without a limit the one that changed
 * last is first. Projects whose deletion was requested are included until they are gone. */
struct project_item {
	struct project project;
	struct sandbox *sandboxes; /* the first one first */
	size_t sandbox_count;
	struct database *database; /* NULL: none */
};
struct project_rows {
	PGresult *result;
	void *decoded; /* sealed values */
	size_t count;
	struct project_item *items;
	char next_cursor[96]; /* "" on the last page */
};
/* ERR_INVALID with code INVALID_CURSOR for a cursor that is not one of ours. */
int project_list(struct db *db, const char *user_id, const struct project_filter *filter,
		 struct project_rows *ret_rows, struct err *e);
/* One project as a list of one; ERR_NOT_FOUND with code PROJECT_NOT_FOUND. */
int project_get(struct db *db, const char *user_id, const char *project_id,
		struct project_rows *ret_rows, struct err *e);
void project_rows_clear(struct project_rows *rows);

struct sandbox_new {
	const char *id; /* UUID made by the caller: the terminal token is sealed for it */
	const void *terminal_token_sealed;
	size_t terminal_token_sealed_length;
	const void
		*request_env_sealed; /* variables of the request, sealed for that id; NULL: none */
	size_t request_env_sealed_length;
	const char *display_name; /* NULL: none; of additional ones */
	const char *size;         /* NULL: the operator's default (store/size.h) */
	const char *image;        /* NULL: the operator's default (store/image.h) */
};
struct project_new {
	const char *user_id, *name, *description, *kube_name;
	const struct sandbox_new *sandbox;
	const char *database_id; /* UUID made by the caller; NULL: without a database */
	const char *cluster;     /* its name; NULL: the default one */
	unsigned lifetime_hours; /* until its end; 0: it has none */
};
/*
 * Creates all of it, in the namespace and on the server of a kubeconfig of the user, with the image
 * and sizes that the operator's options say and with generated names and hosts. ERR_CONFLICT
 * PROJECT_EXISTS (name taken); ERR_UNPROCESSABLE KUBECONFIG_MISSING, CLUSTER_UNKNOWN,
 * IMAGE_UNKNOWN or SIZE_UNKNOWN; ERR_RATE_LIMITED PROJECT_QUOTA. A collision of generated names
 * (constraint of resources or sandboxes) is ERR_CONFLICT NAME_COLLISION: try again with others, in
 * a new transaction.
 */
int project_create(struct db *db, const struct project_new *p,
		   char ret_project_id[STORE_ID_LENGTH + 1], struct err *e);

struct project_change {
	const char *name, *description;
	const char *wake; /* who starts it by a visit (store/visit.h) */
};
/* NULL members stay. ERR_CONFLICT PROJECT_EXISTS. */
int project_change(struct db *db, const char *user_id, const char *project_id,
		   const struct project_change *change, struct err *e);

/*
 * Ends a project in so many hours from now (0: never), which also takes back the end that it has
 * reached, as long as it is not deleted. At its end it is stopped, and `end_grace` later deleted:
 * end_projects() in sql/.
 */
enum { PROJECT_LIFETIME_MAX = 8784 }; /* hours: a leap year */
int project_set_lifetime(struct db *db, const char *user_id, const char *project_id, unsigned hours,
			 struct err *e);

/*
 * Sets the desired state of all of a project's resources: RUNNING, STOPPED, or GONE (which is
 * final: later calls are ERR_NOT_FOUND unless they request GONE again). Requesting the present
 * desired state is no error: work that is under way continues, and a resource that is RUNNING or in
 * ERROR becomes STARTING until it has been observed. All of the project is due at once. Neither it
 * nor a part of it is started after its end: ERR_CONFLICT PROJECT_ENDED. Whatever starts or creates
 * something can also be ERR_RATE_LIMITED, by a quota (store/limit.h).
 */
int project_set_desired(struct db *db, const char *user_id, const char *project_id,
			enum desired desired, struct err *e);
/*
 * Stops a project when nothing has happened in it for so many minutes: 0: never, IDLE_DEFAULT: as
 * the operator says. And keeps it from that for so many hours from now (0: no longer). Both begin a
 * countdown anew: stop_idle_projects() in sql/.
 */
enum { IDLE_DEFAULT = -1, IDLE_MINUTES_MAX = 525600, KEEP_HOURS_MAX = 8784 };
int project_set_idle(struct db *db, const char *user_id, const char *project_id, int64_t minutes,
		     struct err *e);
int project_keep(struct db *db, const char *user_id, const char *project_id, unsigned hours,
		 struct err *e);

/*
 * Deletes a project: into the trash, where it is stopped and can be brought back for `trash_time`,
 * or for good, if it is to be so or the site keeps no trash (project_set_desired() with GONE). One
 * that is deleted already stays as it is, unless it is in the trash and is to go for good.
 */
int project_delete(struct db *db, const char *user_id, const char *project_id, bool permanent,
		   struct err *e);
/* Brings it back from the trash, stopped, under its former name or another; an end that has passed
 * meanwhile no longer holds. ERR_NOT_FOUND PROJECT_NOT_FOUND if it is not there; ERR_CONFLICT
 * PROJECT_EXISTS. */
int project_restore(struct db *db, const char *user_id, const char *project_id, const char *name,
		    struct err *e);
/* Replaces the pods of a project's sandboxes, starting what was stopped. ERR_NOT_FOUND
 * SANDBOX_NOT_FOUND if there is none that stays. */
int project_restart(struct db *db, const char *user_id, const char *project_id, struct err *e);

/*
 * Selects sandboxes of a project: all, the first one (which was made with the project), or the one
 * with an id. There may be no first one: ERR_NOT_FOUND SANDBOX_NOT_FOUND, as for an id that none of
 * the project's sandboxes has.
 */
#define SANDBOX_ALL   NULL
#define SANDBOX_FIRST ""

/* Kinds of requests that may lose data. */
enum { RISK_ENDS_SANDBOX = 1, RISK_ENDS_DATABASE = 2, RISK_STARTS = 4 };
/*
 * Call it in the transaction of such a request (RISK_…, joined by |), before carrying it out.
 * ERR_DATA_AT_RISK if the request is known to lose data. With `force` the owner accepts the loss,
 * and the reconciler will not hold the request up either, whatever it finds later.
 */
int project_ask_risk(struct db *db, const char *user_id, const char *project_id,
		     const char *sandbox_id, unsigned request, bool force, struct err *e);

/* One sandbox of a project: one indexed statement.
 * ERR_NOT_FOUND with code PROJECT_NOT_FOUND or SANDBOX_NOT_FOUND. `has_database` and its status
 * tell the first of the five stages; a database that goes before the sandbox does is none. */
struct sandbox_view {
	PGresult *result;
	void *decoded;
	struct project project;
	struct sandbox sandbox;
	bool has_database;
	enum status database_status;
	bool database_ready; /* its connection is known */
};
int sandbox_get(struct db *db, const char *user_id, const char *project_id, const char *sandbox_id,
		struct sandbox_view *ret_view, struct err *e);
void sandbox_view_clear(struct sandbox_view *view);

/*
 * Starts the first sandbox (and the database) of a project, creating it anew from `s` if it was
 * terminated. One that is still being deleted is kept, with its id and names: its deleted objects
 * are applied again, but its volume may be gone by then.
 *
 * The variables of the request (NULL: leave as they are) roll the pod. They are sealed for a
 * resource's id, so `s->id` must be that of the sandbox there is, if there is one (sandbox_get()):
 * ERR_CONFLICT SANDBOX_REPLACED otherwise.
 */
int sandbox_start(struct db *db, const char *user_id, const char *project_id,
		  const struct sandbox_new *s, struct err *e);
/* Creates another sandbox in a project, and starts its database. ERR_RATE_LIMITED SANDBOX_QUOTA;
 * ERR_UNPROCESSABLE SIZE_UNKNOWN or IMAGE_UNKNOWN. */
int sandbox_add(struct db *db, const char *user_id, const char *project_id,
		const struct sandbox_new *s, struct err *e);
/* Sets the desired state of one sandbox: RUNNING (then of the database, too), STOPPED or GONE. A
 * sandbox that is desired GONE is not found, unless GONE is requested again. The database and the
 * project stay when the last sandbox goes. */
int sandbox_set_desired(struct db *db, const char *user_id, const char *project_id,
			const char *sandbox_id, enum desired desired, struct err *e);
/* Gives one sandbox another size (NULL: the operator's default), which replaces its pod if it runs.
 * ERR_UNPROCESSABLE SIZE_UNKNOWN or IMAGE_UNKNOWN. */
int sandbox_resize(struct db *db, const char *user_id, const char *project_id,
		   const char *sandbox_id, const char *size, struct err *e);
/* Gives one sandbox another image (NULL: the operator's default), which replaces its pod if it
 * runs. ERR_UNPROCESSABLE IMAGE_UNKNOWN. */
int sandbox_change_image(struct db *db, const char *user_id, const char *project_id,
			 const char *sandbox_id, const char *image, struct err *e);
/* Replaces one sandbox's pod, starting it and the database if they were stopped. */
int sandbox_restart(struct db *db, const char *user_id, const char *project_id,
		    const char *sandbox_id, struct err *e);

/*
 * Creates the database of a project that has none, with an id made by the caller; its sandboxes get
 * the connection, which replaces their pods, when it is known. While none of them is to run it is
 * STOPPED, and is made when one is started. One that is there already stays as it is.
 * ERR_CONFLICT DATABASE_GOING while one is on its way out; ERR_UNPROCESSABLE KUBECONFIG_MISSING.
 */
int database_add(struct db *db, const char *user_id, const char *project_id,
		 const char *database_id, struct err *e);
/* The database goes with its data, and the project's sandboxes, whose pods are replaced, are
 * without it from now on. While it goes, the same again is no error. ERR_NOT_FOUND
 * DATABASE_NOT_FOUND. */
int database_remove(struct db *db, const char *user_id, const char *project_id, struct err *e);

struct event {
	int64_t id;
	/* kind and resource_id NULL: the project */
	const char *at, *kind, *resource_id, *status, *stage, *code, *message;
};
struct event_rows {
	PGresult *result;
	size_t count;
	struct event *items;
};
/* Newest first, those before `before_id` (0: from the newest), at most `limit`. */
int event_list(struct db *db, const char *user_id, const char *project_id, int64_t before_id,
	       unsigned limit, struct event_rows *ret_rows, struct err *e);
void event_rows_clear(struct event_rows *rows);

#endif
