#ifndef FSA_CTL_DOCTOR_H
#define FSA_CTL_DOCTOR_H

#include <time.h>

#include <jansson.h>

#include "ctl/command.h"

/*
 * fsactl doctor: a table of checks (doctor.c), each of which reports findings. A finding is about a
 * subject (a file, a user, …); one that is not in order says what to do.
 */
enum health {
	HEALTH_OK,
	HEALTH_WARNING, /* of one user, or not urgent */
	HEALTH_FAILED,  /* the site does not work as it should */
};

struct doctor {
	const struct call *call;
	const struct conf_problems *problems; /* of its configuration */
	struct db *db;
	const char *check;   /* the one that runs */
	const char *user_id; /* NULL: all users */
	json_t *findings;
	enum health worst;
	bool database_answers;
	bool clock_is_off; /* so that nothing else is blamed for it */
};

/* `advice` NULL: nothing to do. */
void doctor_say(struct doctor *d, enum health health, const char *subject, const char *advice,
		const char *format, ...) __attribute__((format(printf, 5, 6)));
/* The same for an error's message. */
void doctor_say_error(struct doctor *d, enum health health, const char *subject, const char *advice,
		      const struct err *e);

/* Compares this host's clock with another one that was read a moment ago; reports a difference. */
void doctor_judge_clock(struct doctor *d, const char *whose, time_t theirs);

/* doctor_data.c */
void doctor_database(struct doctor *d);
void doctor_schema(struct doctor *d);
void doctor_queue(struct doctor *d);
void doctor_maintenance(struct doctor *d);
void doctor_secrets(struct doctor *d);
/* doctor_host.c */
void doctor_settings(struct doctor *d);
void doctor_sockets(struct doctor *d);
/* doctor_keys.c, doctor_site.c, doctor_units.c, doctor_disk.c, doctor_hosts.c */
void doctor_keys(struct doctor *d);
void doctor_site(struct doctor *d);
void doctor_units(struct doctor *d);
void doctor_disk(struct doctor *d);
void doctor_hosts(struct doctor *d);
/* doctor_clusters.c */
void doctor_clusters(struct doctor *d);

#endif
