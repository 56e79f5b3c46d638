#ifndef FSA_BASE_NEAREST_H
#define FSA_BASE_NEAREST_H

#include <stddef.h>

/* Returns the one of `words` that somebody who typed `word` may have meant: the one with the fewest
 * letters inserted, omitted or changed, at most a third of them. NULL if there is none. */
const char *nearest_word(const char *word, const char *const *words, size_t count);

#endif
