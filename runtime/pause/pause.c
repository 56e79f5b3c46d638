/* Keeps a pod's namespaces for its containers: reaps processes until it is asked to end. */
#include <signal.h>
#include <unistd.h>

static void end(int signal)
{
	(void)signal;
	_exit(0);
}

int main(void)
{
	(void)signal(SIGTERM, end);
	(void)signal(SIGINT, end);
	(void)signal(SIGCHLD, SIG_IGN); /* then the kernel reaps children itself */
	for (;;)
		pause();
}
