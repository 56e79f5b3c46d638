#ifndef FSA_STORE_STORE_H
#define FSA_STORE_STORE_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * The store: the only place with SQL, with one file per aggregate. Its rules:
 *
 * - Every function that takes an object's id also takes its owner's: somebody else's object is
 *   ERR_NOT_FOUND, in the same statement, not in a check before it.
 * - A function that changes something works inside the caller's transaction if there is one, and
 *   is one statement or opens its own otherwise.
 * - Ids are UUIDs as text, checked by the caller (parse_is_uuid()). Times come from the database's
 *   clock, as ISO 8601 UTC text with milliseconds ("2026-11-23T20:51:32.042Z").
 * - Strings in returned structs are borrowed from the result that `rows` holds; the matching
 *   _clear() frees them together. NULL is SQL NULL.
 * - A change of the desired state raises the generation, makes the row due, clears attempts and
 * cause, writes the status that the user sees at once, the project's status aggregated from its
 *   resources, and an event: all in one transaction.
 */

enum { STORE_ID_LENGTH = 36 };

/* Seals with a key, however the caller holds it (`user` is the caller's): see store/contexts.h and
 * crypto/seal.h. Appends. */
typedef int store_seal_fn(const void *user, const char *context, const void *plain, size_t length,
			  struct buf *ret_sealed, struct err *e);

#endif
