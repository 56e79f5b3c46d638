#ifndef KUBESIM_QUEUE_H
#define KUBESIM_QUEUE_H

#include <stdint.h>

#include "timers.h"

/*
 * The controllers' queue: (controller, namespace, name) with the time at which to call it. An entry
 * that is already waiting is not added again, but may be moved forward.
 */
struct queue;

typedef void queue_handler_fn(void *user, int controller, const char *namespace, const char *name);

struct queue *queue_new(struct timers *timers, queue_handler_fn *handler, void *user);
void queue_free(struct queue *q);
void queue_add(struct queue *q, int controller, const char *namespace, const char *name,
	       uint64_t delay_ms);

#endif
