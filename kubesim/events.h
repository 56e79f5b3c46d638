#ifndef KUBESIM_EVENTS_H
#define KUBESIM_EVENTS_H

#include "sim.h"

/* Records an Event about an object, a Warning or a Normal one. A repeated event raises the count of
 * the existing one; an event is removed after an hour. Successes are not recorded: under load they
 * would be most of what is stored, and nobody reads them. */
void event_warn(struct sim *sim, const struct object *about, const char *component,
		const char *reason, const char *format, ...) __attribute__((format(printf, 5, 6)));
void event_note(struct sim *sim, const struct object *about, const char *component,
		const char *reason, const char *format, ...) __attribute__((format(printf, 5, 6)));
/* The handler of CONTROLLER_EVENT: its time is over. */
void event_expire(struct sim *sim, const char *namespace, const char *name);

#endif
