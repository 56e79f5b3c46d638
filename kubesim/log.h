#ifndef KUBESIM_LOG_H
#define KUBESIM_LOG_H

#include "api.h"
#include "path.h"

/*
 * pods/log: what containers have printed. The real server asks the kubelet for it; here the node
 * brings the end of it (PUT, by an administrator's certificate), and all of it is kept in memory,
 * bounded. The nodes that are simulated bring none, and such a log is empty.
 */
struct logs;

struct logs *logs_new(void);
void logs_free(struct logs *l);

bool log_is(const struct path *path);
int log_serve(struct sim *sim, const struct api_request *q, const struct path *p,
	      struct api_answer *a, struct refusal *r);

#endif
