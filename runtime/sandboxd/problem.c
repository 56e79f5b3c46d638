#include "sandboxd/problem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/parse.h"

static const struct {
	const char *code;
	int status;
} problems[] = {
	{ "INVALID_REQUEST", 400 },
	{ "UNAUTHORIZED", 401 },
	{ "MISSING_SCOPE", 403 },
	{ "CROSS_SITE", 403 },
	{ "OUTSIDE", 403 },
	{ "NOT_PERMITTED", 403 },
	{ "NOT_FOUND", 404 },
	{ "NO_SUCH_PROGRAM", 404 },
	{ "NO_SUCH_DIRECTORY", 404 },
	{ "METHOD_NOT_ALLOWED", 405 },
	{ "EXISTS", 409 },
	{ "IDEMPOTENCY_MISMATCH", 409 },
	{ "IS_DIRECTORY", 409 },
	{ "NOT_DIRECTORY", 409 },
	{ "NOT_EMPTY", 409 },
	{ "NOT_FILE", 409 },
	{ "NO_APP", 409 },
	{ "NO_TERMINAL", 409 },
	{ "OTHER_VOLUME", 409 },
	{ "PROCESS_ENDED", 409 },
	{ "STDIN_CLOSED", 409 },
	{ "WRONG_HASH", 409 },
	{ "WRONG_OFFSET", 409 },
	{ "WRONG_SIZE", 409 },
	{ "BUSY", 409 },
	{ "FORGOTTEN", 410 },
	{ "LENGTH_REQUIRED", 411 },
	{ "CHANGED", 412 },
	{ "WRONG_VERSION", 412 },
	{ "TOO_LARGE", 413 },
	{ "WRONG_RANGE", 416 },
	{ "UPGRADE_REQUIRED", 426 },
	{ "TOO_MANY", 429 },
	{ "INTERNAL", 500 },
	{ "UNSUPPORTED", 501 },
	{ "NOT_LISTENING", 502 },
	{ "DISK_FULL", 507 },
	{ "QUOTA_EXCEEDED", 507 },
	{ "CANNOT_PACK", 422 },
	{ "CANNOT_UNPACK", 422 },
};

static const struct {
	int status;
	const char *title;
} titles[] = {
	{ 101, "Switching Protocols" },
	{ 200, "OK" },
	{ 201, "Created" },
	{ 204, "No Content" },
	{ 206, "Partial Content" },
	{ 303, "See Other" },
	{ 304, "Not Modified" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 409, "Conflict" },
	{ 410, "Gone" },
	{ 411, "Length Required" },
	{ 412, "Precondition Failed" },
	{ 413, "Content Too Large" },
	{ 416, "Range Not Satisfiable" },
	{ 422, "Unprocessable Content" },
	{ 426, "Upgrade Required" },
	{ 429, "Too Many Requests" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 502, "Bad Gateway" },
	{ 507, "Insufficient Storage" },
};

int problem(struct err *e, const char *code, const char *format, ...)
{
	char message[sizeof(e->message)];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	parse_make_utf8(message); /* paths may contain any bytes, JSON may not */
	return err_set(e, ERR_INVALID, code, "%s", message);
}

int problem_errno(struct err *e, const char *what)
{
	static const struct {
		int number;
		const char *code, *text;
	} known[] = {
		{ ENOENT, "NOT_FOUND", "there is no such file" },
		{ EXDEV, "OUTSIDE", "it leads out of the home directory and /tmp" },
		{ ELOOP, "OUTSIDE", "it goes through too many, or forbidden, links" },
		{ EACCES, "NOT_PERMITTED", "the file's permissions do not allow it" },
		{ EPERM, "NOT_PERMITTED", "the system does not permit it" },
		{ EROFS, "NOT_PERMITTED", "it is on a read-only file system" },
		{ EEXIST, "EXISTS", "it exists" },
		{ EISDIR, "IS_DIRECTORY", "it is a directory" },
		{ ENOTDIR, "NOT_DIRECTORY", "it is not a directory" },
		{ ENOTEMPTY, "NOT_EMPTY", "the directory is not empty" },
		{ ENAMETOOLONG, "INVALID_REQUEST", "the name is too long" },
		{ EINVAL, "INVALID_REQUEST", "that is not possible" },
		{ ENXIO, "NOT_FILE", "it is not a regular file" },
		{ EBUSY, "BUSY", "it is in use" },
		{ EFBIG, "TOO_LARGE", "the file would be too large" },
		{ ENOSPC, "DISK_FULL", "the disk is full" },
		{ EDQUOT, "QUOTA_EXCEEDED", "the disk quota is exceeded" },
		{ ENOSYS, "UNSUPPORTED", "this kernel does not support it" },
	};
	int number = errno;

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i].number == number)
			return problem(e, known[i].code, "%s: %s", what, known[i].text);
	return problem(e, "INTERNAL", "%s: %s", what, strerror(number));
}

int problem_status(const struct err *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(problems); i++)
		if (strcmp(problems[i].code, e->code) == 0)
			return problems[i].status;
	return err_kind_http_status(e->kind);
}

const char *problem_title(int status)
{
	for (size_t i = 0; i < ARRAY_SIZE(titles); i++)
		if (titles[i].status == status)
			return titles[i].title;
	return "Error";
}

json_t *json_time(int64_t seconds, long nanoseconds)
{
	time_t t = (time_t)seconds;
	struct tm parts;
	char text[64];
	size_t length;

	gmtime_r(&t, &parts);
	length = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
	(void)snprintf(text + length, sizeof(text) - length, ".%03ldZ", nanoseconds / 1000000);
	return json_string(text);
}

json_t *problem_json(const struct err *e, const char *request_id)
{
	struct timespec now;
	int status = problem_status(e);

	clock_gettime(CLOCK_REALTIME, &now);
	return json_pack("{s:s, s:s, s:i, s:s, s:s, s:{s:s, s:s}, s:o, s:s}", "type", "about:blank",
			 "title", problem_title(status), "status", status, "error", e->message,
			 "errorCode", e->code, "details", "name", e->code, "message", e->message,
			 "timestamp", json_time(now.tv_sec, now.tv_nsec), "requestId", request_id);
}
