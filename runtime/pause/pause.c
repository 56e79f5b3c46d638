/* Keeps a pod's namespaces for its containers: waits to be told to end, and reaps. */
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
