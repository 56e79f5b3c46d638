#ifndef FSA_BASE_METRIC_FILE_H
#define FSA_BASE_METRIC_FILE_H

#include <stdatomic.h>

#include "base/metric.h"

/*
 * The file that a program counts into (metric.h): an open-addressed hash table of series that only
 * grows. A series has metric and label values in words, so that neither a reader nor the next
 * version of the program needs to know the table that it was written with.
 */
enum {
	METRIC_BOUNDS = 15, /* of histograms; and a bucket above the last */
	METRIC_SUM = METRIC_BOUNDS + 1,
	METRIC_KEY_MAX = 256,
};

/* Between the parts of a key; control characters in label values are replaced. */
#define METRIC_SEPARATOR '\x1f'

struct metric_series {
	_Atomic uint32_t ready;   /* 1: `key` is there, for good */
	char key[METRIC_KEY_MAX]; /* name, then label values */
	/* [0] of a counter or gauge. Of a histogram, how many fell into each bucket, and the sum in
	 * microseconds. */
	_Atomic uint64_t values[METRIC_BOUNDS + 2];
};

/* Change this together with anything above: a file with another layout is started again. */
#define METRIC_LAYOUT UINT64_C(0x6673616d00000001)

struct metric_file {
	uint64_t layout;
	struct metric_series series[METRIC_SERIES_MAX];
};

/* Upper bounds of a histogram's buckets. */
struct metric_bound {
	uint64_t us;
	const char *seconds;
};
extern const struct metric_bound metric_bounds[METRIC_BOUNDS];

#endif
