#ifndef KUBESIM_PROXY_H
#define KUBESIM_PROXY_H

#include "api.h"
#include "path.h"

/*
 * pods/proxy: a request to a program in a pod. Nothing listens in simulated pods, so the answer is
 * an error, unless the admin socket has said what pods of a namespace answer.
 */
struct proxies;

struct proxies *proxies_new(void);
void proxies_free(struct proxies *p);
/* What GETs of pods in that namespace are answered; NULL: nothing listens there. */
void proxies_set(struct proxies *p, const char *namespace, json_t *answer);

bool proxy_is(const struct path *path);
int proxy_serve(struct sim *sim, const struct api_request *q, const struct path *p,
		struct api_answer *a, struct refusal *r);

#endif
