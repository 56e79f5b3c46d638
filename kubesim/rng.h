#ifndef KUBESIM_RNG_H
#define KUBESIM_RNG_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Pseudo-random numbers from a seed, so that a run can be repeated: splitmix64 (Steele, Lea,
 * Flood: "Fast splittable pseudorandom number generators", 2014). Nothing here is secret.
 */
struct rng {
	uint64_t state;
};

enum { UID_LENGTH = 36 };

/* True with that probability, from 0 to 1. */
bool rng_happens(struct rng *rng, double probability);
/* A version 4 UUID (RFC 9562), with its NUL. */
void rng_uid(struct rng *rng, char ret_uid[UID_LENGTH + 1]);
/* Lower-case letters and digits, with a NUL. */
void rng_text(struct rng *rng, char *ret_text, unsigned length);

#endif
