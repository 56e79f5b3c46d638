#ifndef FSA_CTL_USER_PARTS_H
#define FSA_CTL_USER_PARTS_H

#include <stddef.h>

#include "ctl/output.h"

/* What fsactl user show shows of what other files are about. */
extern const struct output_column user_limit_columns[];
extern const size_t user_limit_column_count;

#endif
