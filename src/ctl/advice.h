#ifndef FSA_CTL_ADVICE_H
#define FSA_CTL_ADVICE_H

#include "base/err.h"

/* What to do about a cause of a kind, for people: a sentence for each kind that a resource can have
 * as its cause; NULL for the others. docs/troubleshooting.md has more of each. */
const char *advice_for(enum err_kind kind);

#endif
