#include "ask.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"

int ask_yes(const char *question, bool *ret_yes, struct err *e)
{
	char answer[16] = "";

	if (!isatty(STDIN_FILENO))
		return err_set(e, ERR_INVALID, "USAGE", "%s There is nobody to ask: say --yes",
			       question);
	(void)fprintf(stderr, "%s Go on? [y/N] ", question);
	*ret_yes = fgets(answer, sizeof(answer), stdin) != NULL &&
		   (answer[0] == 'y' || answer[0] == 'Y');
	return 0;
}

static int read_input(size_t max, bool whole, char **ret_text, struct err *e)
{
	CLEANUP(buf_wipe) struct buf text = BUF_INIT(max);
	char c;
	ssize_t got;

	while ((got = read(STDIN_FILENO, &c, 1)) == 1 && (whole || c != '\n')) {
		if (c == '\0' || buf_append(&text, &c, 1, e) < 0)
			return err_set(e, ERR_INVALID, NULL,
				       "standard input has more than %zu bytes, or a NUL", max);
	}
	if (got < 0)
		return err_set(e, ERR_INVALID, NULL, "standard input: %s", strerror(errno));
	if (text.length > 0 && text.data[text.length - 1] == '\n')
		text.length--;
	if (text.length > 0 && text.data[text.length - 1] == '\r')
		text.length--;
	*ret_text = mem_strndup(text.data ? text.data : "", text.length);
	return 0;
}

int ask_secret(const char *prompt, size_t max, char **ret_secret, struct err *e)
{
	struct termios before, silent;
	bool terminal = tcgetattr(STDIN_FILENO, &before) == 0;
	int status;

	if (terminal) {
		/* First: what is typed from the prompt on is not shown, nor dropped. */
		silent = before;
		silent.c_lflag &= ~(tcflag_t)ECHO;
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
		(void)fprintf(stderr, "%s: ", prompt);
	}
	status = read_input(max, !terminal, ret_secret, e);
	if (terminal) {
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
		(void)fputc('\n', stderr);
	}
	return status;
}
