#ifndef FSA_DOMAIN_TYPES_H
#define FSA_DOMAIN_TYPES_H

#include <stdbool.h>

/*
 * The words of the system. Each enum has the same members, in the same spelling, as the PostgreSQL
 * type of that name in sql/; a test compares them.
 */

/* What a project consists of. */
enum resource_kind { RESOURCE_SANDBOX, RESOURCE_DATABASE, RESOURCE_KIND_COUNT };

/* What a database is in its cluster. It is decided when the database is first observed, and stays:
 * the data would not move along. */
enum database_form {
	FORM_UNDECIDED,      /* it has no objects yet */
	FORM_KUBEBLOCKS_0_8, /* a Cluster of KubeBlocks, of the API of that release; */
	FORM_KUBEBLOCKS_0_9, /* a cluster that is upgraded from 0.8 takes its databases along */
	FORM_KUBEBLOCKS_1_0,
	FORM_PLAIN, /* a StatefulSet of ours */
	FORM_COUNT
};

/* What the user asked for. */
enum desired { DESIRED_RUNNING, DESIRED_STOPPED, DESIRED_GONE, DESIRED_COUNT };

/* What the cluster shows. */
enum observed {
	OBSERVED_ABSENT,      /* confirmed: none of our objects is there */
	OBSERVED_STOPPED,     /* scaled to zero and no pods left */
	OBSERVED_STALE,       /* the same, to stay so, but not as desired */
	OBSERVED_OUTDATED,    /* there, but not as desired */
	OBSERVED_PROGRESSING, /* as desired, not ready yet; or still scaling down */
	OBSERVED_READY,       /* as desired, seen by its controller, ready */
	OBSERVED_RESTARTED,   /* the same, and its container ended since the last observation */
	OBSERVED_BROKEN,      /* as desired, and something is wrong with it: see the cause */
	OBSERVED_DELETING,    /* carries a deletion timestamp */
	OBSERVED_BLOCKED,     /* cannot be made yet: waits for the project's database */
	OBSERVED_UNREACHABLE, /* the cluster could not be asked, or refused us */
	OBSERVED_SUSPENDED,   /* the cluster's operator stopped the account (billing) */
	OBSERVED_AT_RISK,     /* not as desired, and a change of it would lose its data */
	OBSERVED_COUNT
};

/* What the reconciler does next. */
enum action {
	ACTION_NONE,
	ACTION_APPLY,      /* server-side apply of all objects, replicas 1 */
	ACTION_SCALE_DOWN, /* the same with replicas 0 */
	ACTION_DELETE,     /* all objects, volumes included */
	ACTION_DIAGNOSE,   /* look for the cause in pods and events */
	ACTION_FORGET,     /* the row goes */
	ACTION_COUNT
};

/* What the user sees. PARTIAL is for projects only. */
enum status {
	STATUS_CREATING,
	STATUS_STARTING,
	STATUS_RUNNING,
	STATUS_UPDATING,
	STATUS_STOPPING,
	STATUS_STOPPED,
	STATUS_TERMINATING,
	STATUS_TERMINATED,
	STATUS_ERROR,
	STATUS_PARTIAL,
	STATUS_COUNT
};

/* Which of the five stages a starting sandbox is in. STAGE_READY: all are behind it. */
enum stage {
	STAGE_DATABASE,
	STAGE_CONTAINER,
	STAGE_NETWORK,
	STAGE_TERMINAL,
	STAGE_READY,
	STAGE_COUNT
};

/* "SANDBOX", "RUNNING", …, stages in lower case: stable, in answers and in the database. */
const char *resource_kind_name(enum resource_kind kind);
const char *database_form_name(enum database_form form);
const char *desired_name(enum desired desired);
const char *observed_name(enum observed observed);
const char *action_name(enum action action);
const char *status_name(enum status status);
const char *stage_name(enum stage stage);

/* The reverse; false if there is no such name. */
bool resource_kind_parse(const char *name, enum resource_kind *ret_kind);
bool database_form_parse(const char *name, enum database_form *ret_form);
bool desired_parse(const char *name, enum desired *ret_desired);
bool observed_parse(const char *name, enum observed *ret_observed);
bool status_parse(const char *name, enum status *ret_status);
bool stage_parse(const char *name, enum stage *ret_stage);

#endif
