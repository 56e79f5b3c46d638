#ifndef KUBESIM_WRITE_H
#define KUBESIM_WRITE_H

#include "managed.h"
#include "sim.h"

/*
 * The way into the store: defaults, validation, admission, metadata. Everything that is created,
 * changed or deleted, by clients or controllers, goes through here and is logged.
 */
struct change {
	const struct user *user;
	const char *verb;        /* for the log */
	const char *subresource; /* "" or "status" */
	bool dry_run;            /* all but the writing */
};

/* Creates an object; `json` is filled in. What is returned is borrowed, NULL for a dry run. */
int write_create(struct sim *sim, const struct kind *kind, json_t *json, const struct change *c,
		 struct object **ret_object, struct refusal *r);
/* Puts `json` in the place of `before`, which must be the newest. What cannot be changed by a
 * client is kept. If nothing changes, `before` stays and is returned. NULL is returned if the
 * object is gone with its last finalizer, or for a dry run. */
int write_update(struct sim *sim, struct object *before, json_t *json, const struct change *c,
		 struct object **ret_object, struct refusal *r);
/* As the built-in controllers write: neither checked nor refused. */
struct object *write_status(struct sim *sim, struct object *before, json_t *json);

struct delete_options {
	const char *uid, *version; /* preconditions, or NULL */
	long long grace_s;         /* -1: the pod's own */
	const char *propagation;   /* Background, Foreground, Orphan; NULL: Background */
};

/* Deletes an object, or begins to. `*ret_left` is the remaining object, or NULL when it is gone. */
int write_delete(struct sim *sim, struct object *o, const struct delete_options *options,
		 const struct change *c, struct object **ret_left, struct refusal *r);
/* The same in the background for the server itself: nothing to be refused. */
void write_collect(struct sim *sim, struct object *o);
/* Removes a finalizer, and with the last one of a deleted object the object. */
void write_unfinalize(struct sim *sim, struct object *o, const char *finalizer);
/* Takes an object away at once, as a node does with a pod that has ended. */
void write_remove(struct sim *sim, struct object *o);

#endif
