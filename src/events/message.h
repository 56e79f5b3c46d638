#ifndef FSA_EVENTS_MESSAGE_H
#define FSA_EVENTS_MESSAGE_H

#include "store/live.h"

/*
 * What a browser is told (`GET /api/events`): JSON on one line, for the caller to free(). Members
 * have the names and the meaning that they have in `GET /api/projects`.
 */

/* Names of the server-sent events. */
#define MESSAGE_EVENT_PROJECT "project"
#define MESSAGE_EVENT_GONE    "gone"

/* {"id", "name", "status", "updatedAt", "sandboxes": […], "databases": […]} */
char *message_project(const struct live_project *project);
/* {"id"} */
char *message_gone(const char *project_id);

#endif
