#include "base/nearest.h"

#include <string.h>

enum { LENGTH_MAX = 64 };

static size_t least(size_t a, size_t b, size_t c)
{
	size_t smaller = a < b ? a : b;

	return smaller < c ? smaller : c;
}

/* The Levenshtein distance, computed row by row. */
static size_t distance(const char *a, const char *b)
{
	size_t row[LENGTH_MAX + 1];
	size_t columns = strlen(b);

	for (size_t i = 0; i <= columns; i++)
		row[i] = i;
	for (size_t line = 1; a[line - 1] != '\0'; line++) {
		size_t diagonal = row[0];
		row[0] = line;
		for (size_t i = 1; i <= columns; i++) {
			size_t above = row[i];
			size_t changed = diagonal + (a[line - 1] != b[i - 1]);
			row[i] = least(above + 1, row[i - 1] + 1, changed);
			diagonal = above;
		}
	}
	return row[columns];
}

const char *nearest_word(const char *word, const char *const *words, size_t count)
{
	const char *nearest = NULL;
	size_t length = strlen(word);
	size_t fewest = length / 3 + 1;

	for (size_t i = 0; i < count && length <= LENGTH_MAX; i++) {
		if (strlen(words[i]) > LENGTH_MAX)
			continue;
		size_t found = distance(word, words[i]);
		if (found < fewest) {
			fewest = found;
			nearest = words[i];
		}
	}
	return nearest;
}
