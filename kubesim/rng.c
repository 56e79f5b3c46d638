#include "rng.h"

#include <stdio.h>

static uint64_t next(struct rng *rng)
{
	uint64_t z = rng->state += 0x9e3779b97f4a7c15U;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
	z = (z ^ z >> 27) * 0x94d049bb133111ebU;
	return z ^ z >> 31;
}

bool rng_happens(struct rng *rng, double probability)
{
	if (probability >= 1)
		return true;
	return (double)(next(rng) >> 11) * 0x1p-53 < probability;
}

void rng_uid(struct rng *rng, char ret_uid[UID_LENGTH + 1])
{
	uint64_t a = next(rng), b = next(rng);

	snprintf(ret_uid, UID_LENGTH + 1, "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(a >> 32),
		 (unsigned)(a >> 16 & 0xffff), (unsigned)(a & 0xfff),
		 (unsigned)(0x8000 | (b >> 48 & 0x3fff)),
		 (unsigned long long)(b & 0xffffffffffffU));
}

void rng_text(struct rng *rng, char *ret_text, unsigned length)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";

	for (unsigned i = 0; i < length; i++)
		ret_text[i] = letters[next(rng) % (sizeof(letters) - 1)];
	ret_text[length] = '\0';
}
