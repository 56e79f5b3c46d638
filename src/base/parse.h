#ifndef FSA_BASE_PARSE_H
#define FSA_BASE_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Checked parsing. Every function reads the whole string or returns false and leaves its result
 * alone; none accepts signs, leading blanks or anything locale-dependent. */

/* Decimal digits only, within [min, max]. */
bool parse_u64(const char *string, uint64_t min, uint64_t max, uint64_t *ret_value);
/* "500ms", "3s", "5m", "12h", "7d": milliseconds. A bare number is refused. */
bool parse_duration_ms(const char *string, uint64_t *ret_ms);
/* "yes" or "no", "true" or "false", "on" or "off". */
bool parse_bool(const char *string, bool *ret_value);
/* A UUID in its canonical lower- or upper-case form with hyphens (RFC 9562, section 4). */
bool parse_is_uuid(const char *string);
/* A domain name as Kubernetes takes it (RFC 1123): lower case, labels of at most 63 letters, digits
 * and inner hyphens, at most 253 in all, no dot at the end. */
bool parse_is_domain(const char *string);
/* Whether `length` bytes are well-formed UTF-8 without NUL (RFC 3629: no surrogates, no overlong
 * forms). */
bool parse_is_utf8(const char *string, size_t length);
/* Puts '?' for whatever keeps a string from being UTF-8: characters that were cut. */
void parse_make_utf8(char *string);

#endif
