#ifndef FSA_BASE_QUANTITY_H
#define FSA_BASE_QUANTITY_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Kubernetes quantities ("200m", "1.5Gi", "1e3"): the API server converts them to its canonical
 * form, so they are compared by value, and sent in that form.
 * https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
 */

enum { QUANTITY_MAX = 32 }; /* of the canonical form, its NUL included */

/* Whether both are quantities, and of equal value. */
bool quantity_equal(const char *a, const char *b);
/* Below 0, 0 or above 0, like strcmp(). Both must be quantities. */
int quantity_compare(const char *a, const char *b);
/* Whether `text` is a quantity as we take it: not negative, below 2^63, at most 18 digits. */
bool quantity_is_valid(const char *text);
/* The form that the API server returns: no fraction, and the largest suffix that leaves a whole
 * number. False if `text` is not a quantity, or has an exponent, which is left unchanged. */
bool quantity_canonical(const char *text, char ret_text[QUANTITY_MAX]);
/* Whole gibibytes, rounded up; 0 if it is no quantity. */
uint64_t quantity_gibibytes(const char *text);

#endif
