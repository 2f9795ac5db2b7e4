// SPDX-License-Identifier: Apache-2.0 OR MIT
// Says hello from inside the sandbox, tells what it sees there, and waits to be stopped.

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(void)
{
	// SIGTERM stops an app; blocking it lets sigwait() below take it in its own time.
	sigset_t stop;
	if (sigemptyset(&stop) || sigaddset(&stop, SIGTERM) || sigprocmask(SIG_BLOCK, &stop, NULL)) {
		perror("sigprocmask");
		return EXIT_FAILURE;
	}

	char package[PATH_MAX];
	if (!getcwd(package, sizeof package)) {
		perror("getcwd");
		return EXIT_FAILURE;
	}
	// The component id is the name of the directory that holds this package, where every app starts.
	const char *slash = strrchr(package, '/');

	puts("Hello from C on Nacre!");
	printf("I am component %s, user %u.\n", slash ? slash + 1 : package, (unsigned int)getuid());
	printf("My package is %s, read-only.\n", package);
	// Standard output is a pipe here, so the text waits in a buffer until it is flushed.
	if (fflush(stdout)) {
		perror("stdout");
		return EXIT_FAILURE;
	}

	int signal_number;
	if (sigwait(&stop, &signal_number)) {
		return EXIT_FAILURE;
	}
	puts("Goodbye.");
	return EXIT_SUCCESS;
}
