#include "crypto/seal.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "crypto/keyring.h"

static const char magic[4] = { 'F', 'S', 'A', '1' };

enum { HEADER_BYTES = sizeof(magic) + KEYRING_ID_BYTES, LENGTH_BYTES = 2 };

/* What goes into the box: 2 bytes length of the context, the context, the plaintext. */
static int frame(const char *context, const void *plain, size_t length, struct buf *ret_frame,
		 struct err *e)
{
	size_t context_length = strlen(context);
	uint8_t prefix[LENGTH_BYTES] = { (uint8_t)(context_length >> 8), (uint8_t)context_length };

	if (context_length > SEAL_CONTEXT_MAX)
		return err_set(e, ERR_INTERNAL, NULL, "a seal's context is longer than %d bytes",
			       SEAL_CONTEXT_MAX);
	ret_frame->max = sizeof(prefix) + context_length + length;
	if (buf_append(ret_frame, prefix, sizeof(prefix), e) < 0 ||
	    buf_append(ret_frame, context, context_length, e) < 0)
		return -1;
	return buf_append(ret_frame, plain, length, e);
}

int seal(const struct keyring *public_ring, const char *context, const void *plain, size_t length,
	 struct buf *ret_sealed, struct err *e)
{
	const struct keyring_key *key = keyring_newest(public_ring);
	CLEANUP(buf_wipe) struct buf framed = BUF_INIT(0);

	if (frame(context, plain, length, &framed, e) < 0)
		return -1;
	size_t sealed_length = HEADER_BYTES + framed.length + crypto_box_SEALBYTES;
	CLEANUP(cleanup_free) uint8_t *sealed = mem_calloc(sealed_length, 1);
	memcpy(sealed, magic, sizeof(magic));
	memcpy(sealed + sizeof(magic), key->id, KEYRING_ID_BYTES);
	if (crypto_box_seal(sealed + HEADER_BYTES, (const uint8_t *)framed.data, framed.length,
			    key->public_key) != 0)
		return err_set(e, ERR_INTERNAL, NULL, "cannot seal to the first key of the ring");
	return buf_append(ret_sealed, sealed, sealed_length, e);
}

/* Checks the context in front of the plaintext and appends what follows it. */
static int unframe(const char *context, const struct buf *framed, struct buf *ret_plain,
		   struct err *e)
{
	const uint8_t *bytes = (const uint8_t *)framed->data;
	size_t context_length = strlen(context);

	if (framed->length < LENGTH_BYTES + context_length ||
	    ((size_t)bytes[0] << 8 | bytes[1]) != context_length ||
	    memcmp(bytes + LENGTH_BYTES, context, context_length) != 0)
		return err_set(e, ERR_INVALID, "SEAL_CONTEXT",
			       "the secret was sealed for something else");
	size_t skipped = LENGTH_BYTES + context_length;
	return buf_append(ret_plain, bytes + skipped, framed->length - skipped, e);
}

int unseal(const struct keyring *private_ring, const char *context, const void *sealed,
	   size_t length, struct buf *ret_plain, struct err *e)
{
	const uint8_t *bytes = sealed;

	if (length < HEADER_BYTES + crypto_box_SEALBYTES + LENGTH_BYTES ||
	    memcmp(bytes, magic, sizeof(magic)) != 0)
		return err_set(e, ERR_INVALID, "SEAL_FORM", "not a sealed secret");
	const struct keyring_key *key = keyring_find(private_ring, bytes + sizeof(magic));
	if (key == NULL)
		return err_set(e, ERR_INVALID, "SEAL_UNKNOWN_KEY",
			       "the secret is sealed to a key that is not in the keyring");
	size_t framed_length = length - HEADER_BYTES - crypto_box_SEALBYTES;
	CLEANUP(buf_wipe)
	struct buf framed = { .data = mem_calloc(framed_length + 1, 1),
			      .length = framed_length,
			      .allocated = framed_length + 1,
			      .max = framed_length };
	if (crypto_box_seal_open((uint8_t *)framed.data, bytes + HEADER_BYTES,
				 length - HEADER_BYTES, key->public_key, key->private_key) != 0)
		return err_set(e, ERR_INVALID, "SEAL_ALTERED",
			       "the sealed secret was altered or is not for this key");
	return unframe(context, &framed, ret_plain, e);
}
