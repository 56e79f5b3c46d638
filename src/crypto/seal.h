#ifndef FSA_CRYPTO_SEAL_H
#define FSA_CRYPTO_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Sealing: secrets are encrypted to a public key the moment they arrive, and only a program that
 * holds the private key reads them again (libsodium sealed boxes: X25519, XSalsa20-Poly1305).
 *
 * A keyring file has one line per key, "<key id> <base64 key>", the newest first; blank lines and
 * '#' comments are skipped. Public and private files are alike. A key's id is the first 8 bytes of
 * its public key's SHA-256, in hex; another one is refused. New secrets are sealed to the first
 * key; old ones are opened with whichever key their id names, so keys can be rotated.
 *
 * A program that holds the private key and seals values for itself, as api.fcgi does, uses a box of
 * the key pair with itself: only a holder of the private key can have created it, and sealing and
 * opening need no elliptic curve, which takes most of the time of the other form.
 *
 * Sealed form: "FSA1", 8 bytes of key id, sealed box; or "FSA2", 8 bytes of key id, 24 bytes of
 * random nonce, box of the pair with itself. In the box: 2 bytes length of context, big endian;
 * context; plaintext. The context names the purpose of the secret ("environment:<project>:<key>"):
 * opening with another context fails, so a row cannot be passed off as a different one.
 */
struct keyring;

enum { SEAL_CONTEXT_MAX = 512 };

/* Reads a keyring of public, or of private keys (64 at most). A private file that others can read,
 * or that its group can write, is refused. ERR_INVALID names file and line. */
int keyring_load_public(const char *path, struct keyring **ret_ring, struct err *e);
int keyring_load_private(const char *path, struct keyring **ret_ring, struct err *e);
void keyring_free(struct keyring *ring); /* NULL is fine; private keys are wiped */
void keyring_freep(struct keyring **ring);

/* Appends the sealed form to `ret_sealed` (owner: caller). */
int seal(const struct keyring *public_ring, const char *context, const void *plain, size_t length,
	 struct buf *ret_sealed, struct err *e);
/* The same for a holder of the private key: only holders can seal and open this form. */
int seal_own(const struct keyring *private_ring, const char *context, const void *plain,
	     size_t length, struct buf *ret_sealed, struct err *e);
/* unseal() appends the plaintext of a value that seal() sealed, unseal_own() of one that seal_own()
 * sealed. The purpose of the secret decides which (store/contexts.h): a value that only holders of
 * the private key write is accepted only in their form, because anybody with the public key can
 * create the other. ERR_INVALID with code SEAL_FORM: not this form, SEAL_CONTEXT: sealed for
 * something else, SEAL_ALTERED, SEAL_UNKNOWN_KEY: its key is not in the ring. Wipe with
 * buf_wipe(). */
int unseal(const struct keyring *private_ring, const char *context, const void *sealed,
	   size_t length, struct buf *ret_plain, struct err *e);

int unseal_own(const struct keyring *private_ring, const char *context, const void *sealed,
	       size_t length, struct buf *ret_plain, struct err *e);

/* The same secret, of either form, sealed to the newest key of the ring as seal_own() does or as
 * seal(): for changing keys, and for what an older version has sealed. Appends to `ret_sealed`;
 * errors as of unseal(). */
int reseal(const struct keyring *private_ring, bool as_own, const char *context, const void *sealed,
	   size_t length, struct buf *ret_sealed, struct err *e);

/* The keys of a ring, the newest first: their number, and the id of one, as text (for the newest,
 * also as it stands in sealed values). */
size_t keyring_count(const struct keyring *ring);
void keyring_id(const struct keyring *ring, size_t index, char ret_id[17]);
void keyring_newest_id(const struct keyring *ring, uint8_t ret_id[8]);

/* Makes a key pair and puts it first in both files: created with 0644 and 0600 when missing,
 * otherwise replaced atomically with their owner and mode kept; two at once take turns. The private
 * file comes first, so a failure in between leaves a key that nothing was sealed to. `ret_id` gets
 * the new key's id in hex. */
int keyring_add(const char *public_path, const char *private_path, char ret_id[17], struct err *e);

#endif
