#ifndef FSA_DOMAIN_WARNING_H
#define FSA_DOMAIN_WARNING_H

/*
 * Warnings, shown beside a status and also while RUNNING: a sandbox works now but soon will not, or
 * is not quite what was requested. One table, in warning.c, for the API, the page, the live stream
 * and `fsactl project explain`. reconcile/warn.c judges which warnings a row has.
 */
enum warning {
	WARNING_CHANGED_BY_ADMISSION, /* the cluster's admission changes what we apply */
	WARNING_HOME_VOLUME_GOING,    /* its claim is being deleted, and goes with the pod */
	WARNING_HOME_VOLUME_GONE,     /* there was one, and nothing runs */
	WARNING_HOME_VOLUME_REPLACED, /* it is not the former one */
	WARNING_DATABASE_VOLUME_GOING,
	WARNING_DATABASE_VOLUME_GONE,
	WARNING_DATABASE_VOLUME_REPLACED,
	WARNING_RESTARTED,        /* the container has ended and was started again */
	WARNING_ACTIVITY_UNKNOWN, /* whether anything happens in it cannot be found out */
	/* Of a project as a whole: the database has them (end_projects()). */
	WARNING_PROJECT_ENDING, /* its end is near */
	WARNING_PROJECT_IDLE,   /* nothing happens in it: it is about to be stopped */
	WARNING_PROJECT_ENDED,  /* it was stopped at its end, and is deleted after a grace */
	WARNING_COUNT
};

struct warning_text {
	const char *code;     /* stable, for clients */
	const char *headline; /* what it is, in the owner's words */
	const char *action;   /* what the owner can do */
};

const struct warning_text *warning_text(enum warning warning);
/* The row of a code; NULL for one of another version. */
const struct warning_text *warning_text_of(const char *code);

#endif
