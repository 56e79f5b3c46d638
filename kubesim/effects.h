#ifndef KUBESIM_EFFECTS_H
#define KUBESIM_EFFECTS_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

/*
 * What goes wrong in the cluster, as opposed to in its API server (faults.h): rules that hold for
 * objects from their addition to their removal. Whether one is hit by a probability follows from
 * its uid and the seed, so it is always the same.
 */
enum effect {
	EFFECT_CRASH,           /* its containers end again and again */
	EFFECT_IMAGE,           /* its image cannot be pulled */
	EFFECT_MOUNT,           /* its volumes cannot be mounted */
	EFFECT_UNSCHEDULABLE,   /* no node takes it */
	EFFECT_NEVER_READY,     /* it runs, and its probe does not pass */
	EFFECT_STUCK,           /* deleted, it does not end */
	EFFECT_UNBOUND,         /* of claims: no volume is found */
	EFFECT_DATABASE_FAILED, /* of Clusters */
	EFFECT_ADMISSION,       /* of what people write: admission changes it */
	EFFECT_COUNT
};

struct effects;

struct effects *effects_new(uint64_t seed);
void effects_free(struct effects *e);

/* {"effect": "crash", "namespace"?: glob, "name"?: glob, "probability"?: 0…1}. Returns its id, or
 * 0 with what is wrong in `ret_error`. */
long long effects_add(struct effects *e, const json_t *rule, const char **ret_error);
/* Id 0: all. False: there is none. */
bool effects_remove(struct effects *e, long long id);
/* Array of the rules with their ids. The caller json_decref()s. */
json_t *effects_list(const struct effects *e);

/* Applies a mutating webhook to an object that a client writes: rules of "admission" also have
 * "resource" (plural) and "set": {"path.to.0.member": value}. */
void effects_admit(const struct effects *e, const char *plural, const char *namespace,
		   const char *name, json_t *object);

bool effects_hit(const struct effects *e, enum effect effect, const char *namespace,
		 const char *name, const char *uid);

#endif
