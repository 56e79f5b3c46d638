#ifndef FSA_CRYPTO_KEYRING_H
#define FSA_CRYPTO_KEYRING_H

#include <stddef.h>
#include <stdint.h>

#include "crypto/seal.h"

/*
 * The keys behind a keyring, for seal.c; everybody else sees crypto/seal.h only. A key's id is the
 * beginning of its public key's SHA-256, so a key under a wrong id, or a public key in a private
 * file, is found when the file is read.
 */
enum { KEYRING_ID_BYTES = 8, KEYRING_KEY_BYTES = 32, KEYRING_MAX_KEYS = 64 };

struct keyring_key {
	uint8_t id[KEYRING_ID_BYTES];
	uint8_t public_key[KEYRING_KEY_BYTES];
	/* Zero in a public ring: */
	uint8_t private_key[KEYRING_KEY_BYTES];
	uint8_t own_key[KEYRING_KEY_BYTES]; /* what the pair's two halves agree on */
};

/* The first key of the file: there is always one. */
const struct keyring_key *keyring_newest(const struct keyring *ring);
/* The key with that id, NULL if it is not in the ring. */
const struct keyring_key *keyring_find(const struct keyring *ring,
				       const uint8_t id[KEYRING_ID_BYTES]);

#endif
