#ifndef FSA_EVENTS_MESSAGE_H
#define FSA_EVENTS_MESSAGE_H

#include <jansson.h>

#include "store/live.h"

/*
 * What a browser gets (`GET /api/events`): JSON on one line, for the caller to free(). Members
 * have the names and the meaning that they have in `GET /api/projects`.
 */

/* Names of the server-sent events. */
#define MESSAGE_EVENT_PROJECT    "project"
#define MESSAGE_EVENT_GONE       "gone"
#define MESSAGE_EVENT_KUBECONFIG "kubeconfig"

/* {"id", "name", "status", "updatedAt", "sandboxes": […], "databases": […]}; if it would be longer
 * than MESSAGE_MAX, which nginx accepts, without the lists: they can be read by other means. */
enum { MESSAGE_MAX = 256 << 10 };
char *message_project(const struct live_project *project);
/* {"id"} */
char *message_gone(const char *project_id);
/* `check` of GET /api/user/config/kc, as kubeconfig_check_get() gives it. */
char *message_kubeconfig(const json_t *check);

#endif
