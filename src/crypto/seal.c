#include "crypto/seal.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "crypto/keyring.h"

enum { MAGIC_BYTES = 4, HEADER_BYTES = MAGIC_BYTES + KEYRING_ID_BYTES, LENGTH_BYTES = 2 };

/* A form of what follows the header. `overhead`: how much longer it is than the framed plaintext.
 * Both functions return 0 on success, as libsodium's do. */
struct form {
	char magic[MAGIC_BYTES + 1]; /* with its NUL, because messages contain it */
	size_t overhead;
	int (*close)(uint8_t *ret_box, const uint8_t *framed, size_t length,
		     const struct keyring_key *key);
	int (*open)(uint8_t *ret_framed, const uint8_t *box, size_t length,
		    const struct keyring_key *key);
};

static int close_to_public(uint8_t *ret_box, const uint8_t *framed, size_t length,
			   const struct keyring_key *key)
{
	return crypto_box_seal(ret_box, framed, length, key->public_key);
}

static int open_to_public(uint8_t *ret_framed, const uint8_t *box, size_t length,
			  const struct keyring_key *key)
{
	return crypto_box_seal_open(ret_framed, box, length, key->public_key, key->private_key);
}

static int close_own(uint8_t *ret_box, const uint8_t *framed, size_t length,
		     const struct keyring_key *key)
{
	randombytes_buf(ret_box, crypto_box_NONCEBYTES);
	return crypto_box_easy_afternm(ret_box + crypto_box_NONCEBYTES, framed, length, ret_box,
				       key->own_key);
}

static int open_own(uint8_t *ret_framed, const uint8_t *box, size_t length,
		    const struct keyring_key *key)
{
	return crypto_box_open_easy_afternm(ret_framed, box + crypto_box_NONCEBYTES,
					    length - crypto_box_NONCEBYTES, box, key->own_key);
}

static const struct form to_public = { "FSA1", crypto_box_SEALBYTES, close_to_public,
				       open_to_public };
static const struct form own = { "FSA2", crypto_box_NONCEBYTES + crypto_box_MACBYTES, close_own,
				 open_own };

/* Builds the plaintext to be sealed: two bytes with the context's length, the context, the data. */
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

static int seal_as(const struct form *form, const struct keyring *ring, const char *context,
		   const void *plain, size_t length, struct buf *ret_sealed, struct err *e)
{
	const struct keyring_key *key = keyring_newest(ring);
	CLEANUP(buf_wipe) struct buf framed = BUF_INIT(0);

	if (frame(context, plain, length, &framed, e) < 0)
		return -1;
	size_t sealed_length = HEADER_BYTES + framed.length + form->overhead;
	CLEANUP(cleanup_free) uint8_t *sealed = mem_calloc(sealed_length, 1);
	memcpy(sealed, form->magic, MAGIC_BYTES);
	memcpy(sealed + MAGIC_BYTES, key->id, KEYRING_ID_BYTES);
	if (form->close(sealed + HEADER_BYTES, (const uint8_t *)framed.data, framed.length, key) !=
	    0)
		return err_set(e, ERR_INTERNAL, NULL, "cannot seal to the first key of the ring");
	return buf_append(ret_sealed, sealed, sealed_length, e);
}

int seal(const struct keyring *public_ring, const char *context, const void *plain, size_t length,
	 struct buf *ret_sealed, struct err *e)
{
	return seal_as(&to_public, public_ring, context, plain, length, ret_sealed, e);
}

int seal_own(const struct keyring *private_ring, const char *context, const void *plain,
	     size_t length, struct buf *ret_sealed, struct err *e)
{
	return seal_as(&own, private_ring, context, plain, length, ret_sealed, e);
}

/* Checks the context and appends the data that follows it. */
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

/* Returns NULL if the value has an unknown form, or is too short. */
static const struct form *find_form(const uint8_t *sealed, size_t length)
{
	static const struct form *const forms[] = { &to_public, &own };

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		if (length >= HEADER_BYTES + forms[i]->overhead + LENGTH_BYTES &&
		    memcmp(sealed, forms[i]->magic, MAGIC_BYTES) == 0)
			return forms[i];
	}
	return NULL;
}

static int unseal_form(const struct form *form, const struct keyring *private_ring,
		       const char *context, const void *sealed, size_t length,
		       struct buf *ret_plain, struct err *e)
{
	const uint8_t *bytes = sealed;

	const struct keyring_key *key = keyring_find(private_ring, bytes + MAGIC_BYTES);
	if (key == NULL)
		return err_set(e, ERR_INVALID, "SEAL_UNKNOWN_KEY",
			       "the secret is sealed to a key that is not in the keyring");
	size_t framed_length = length - HEADER_BYTES - form->overhead;
	CLEANUP(buf_wipe)
	struct buf framed = { .data = mem_calloc(framed_length + 1, 1),
			      .length = framed_length,
			      .allocated = framed_length + 1,
			      .max = framed_length };
	if (form->open((uint8_t *)framed.data, bytes + HEADER_BYTES, length - HEADER_BYTES, key) !=
	    0)
		return err_set(e, ERR_INVALID, "SEAL_ALTERED",
			       "the sealed secret was altered or is not for this key");
	return unframe(context, &framed, ret_plain, e);
}

/* Accepts only the form in which legitimate writers seal this sort of secret: the other form would
 * be a forgery. */
static int unseal_as(const struct form *wanted, const struct keyring *private_ring,
		     const char *context, const void *sealed, size_t length, struct buf *ret_plain,
		     struct err *e)
{
	const struct form *form = find_form(sealed, length);

	if (form == NULL)
		return err_set(e, ERR_INVALID, "SEAL_FORM", "not a sealed secret");
	if (form != wanted)
		return err_set(e, ERR_INVALID, "SEAL_FORM",
			       "the secret is sealed as %s and not as %s: if it is of an older "
			       "version, run fsactl keys rotate owner",
			       form->magic, wanted->magic);
	return unseal_form(form, private_ring, context, sealed, length, ret_plain, e);
}

int unseal(const struct keyring *private_ring, const char *context, const void *sealed,
	   size_t length, struct buf *ret_plain, struct err *e)
{
	return unseal_as(&to_public, private_ring, context, sealed, length, ret_plain, e);
}

int unseal_own(const struct keyring *private_ring, const char *context, const void *sealed,
	       size_t length, struct buf *ret_plain, struct err *e)
{
	return unseal_as(&own, private_ring, context, sealed, length, ret_plain, e);
}

int reseal(const struct keyring *private_ring, bool as_own, const char *context, const void *sealed,
	   size_t length, struct buf *ret_sealed, struct err *e)
{
	CLEANUP(buf_wipe) struct buf plain = BUF_INIT(length);
	const struct form *form = find_form(sealed, length);

	if (form == NULL)
		return err_set(e, ERR_INVALID, "SEAL_FORM", "not a sealed secret");
	if (unseal_form(form, private_ring, context, sealed, length, &plain, e) < 0)
		return -1;
	return seal_as(as_own ? &own : &to_public, private_ring, context, plain.data, plain.length,
		       ret_sealed, e);
}
