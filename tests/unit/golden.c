#include "golden.h"

#include <stdio.h>
#include <stdlib.h>

#include <check.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	ck_assert_msg(file != NULL, "%s cannot be written", path);
	ck_assert(fputs(text, file) >= 0);
	ck_assert_int_eq(fclose(file), 0);
}

void golden_check(const char *path, const char *text)
{
	CLEANUP(cleanup_free) char *whole = mem_printf("%s/%s", TEST_SOURCE_DIR, path);
	CLEANUP(buf_release) struct buf content = BUF_INIT(1 << 20);
	struct err e;

	if (getenv("FSA_UPDATE_GOLDEN") != NULL)
		write_file(whole, text);
	ck_assert_msg(buf_read_file(&content, whole, &e) == 0, "%s (make update-golden?)",
		      e.message);
	ck_assert_str_eq(content.data, text);
}
