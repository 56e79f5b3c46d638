#ifndef FSA_BASE_NEAREST_H
#define FSA_BASE_NEAREST_H

#include <stddef.h>

/* Of `words`, the one that somebody who typed `word` may have meant: fewest letters put in, left
 * out or changed, and not more than a third of them. NULL if there is none. */
const char *nearest_word(const char *word, const char *const *words, size_t count);

#endif
