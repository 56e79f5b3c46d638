#ifndef KUBESIM_QUANTITY_H
#define KUBESIM_QUANTITY_H

#include <stdbool.h>

/* Kubernetes quantities: kubernetes.io, API reference, "Quantity". Written independently of the
 * reconciler's code, so that the same mistake is not made on both sides. */

enum { QUANTITY_TEXT_MAX = 40 };

/* In thousandths; false if it is not a quantity, or has an exponent. */
bool quantity_milli(const char *text, long long *ret_milli);
bool quantity_canonical_text(const char *text, char ret_text[QUANTITY_TEXT_MAX]);

#endif
