#ifndef KUBESIM_EVENTS_H
#define KUBESIM_EVENTS_H

#include "sim.h"

/* Tells of something in an Event about an object, a Warning or a Normal one. The same again raises
 * the count of the one that is there; an event goes after an hour. Of what goes well nothing is
 * told: at a load that would be most of what is stored, and nobody reads it. */
void event_warn(struct sim *sim, const struct object *about, const char *component,
		const char *reason, const char *format, ...) __attribute__((format(printf, 5, 6)));
void event_note(struct sim *sim, const struct object *about, const char *component,
		const char *reason, const char *format, ...) __attribute__((format(printf, 5, 6)));
/* The handler of CONTROLLER_EVENT: its time is over. */
void event_expire(struct sim *sim, const char *namespace, const char *name);

#endif
