#ifndef FSA_CTL_ROW_H
#define FSA_CTL_ROW_H

#include <stdint.h>

#include <jansson.h>

/* Members of an object that represents a row of a table. The row owns the text; "" if the member is
 * missing, null or not a text. */
const char *row_text(const json_t *row, const char *member);
/* NULL also for "". */
const char *row_text_or_null(const json_t *row, const char *member);
/* 0 where it is no number. */
int64_t row_number(const json_t *row, const char *member);

#endif
