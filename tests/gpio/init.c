// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * Process 1 of the tests of GPIO lines: it runs the commands of /script, one a line, says how each ended, and turns the
 * machine off.
 *
 * A command that ends with "&" runs beside the next ones. "write FILE TEXT" writes to a file. Words are separated by one
 * space, and nothing else has a meaning.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS = 32, LINE = 256 };

static pid_t start(char **words)
{
	const pid_t child = fork();

	if (child == 0) {
		execv(words[0], words);
		printf("# %s cannot be run: %s\n", words[0], strerror(errno));
		_exit(127);
	}
	return child;
}

static int write_file(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");
	int status;

	if (!file)
		return 1;
	status = fputs(text, file) < 0;
	/* It is written here. */
	return fclose(file) || status;
}

static void report(const char *line, pid_t child)
{
	int status = 0;

	if (child < 0 || waitpid(child, &status, 0) != child)
		printf("# did not run: %s\n", line);
	else if (WIFEXITED(status))
		printf("# exit %d: %s\n", WEXITSTATUS(status), line);
	else
		printf("# signal %d: %s\n", WTERMSIG(status), line);
}

int main(void)
{
	char line[LINE];
	FILE *script = fopen("/script", "r");

	setvbuf(stdout, NULL, _IONBF, 0);
	if (mount("dev", "/dev", "devtmpfs", 0, NULL) && errno != EBUSY)
		printf("# /dev: %s\n", strerror(errno));
	if (mount("sys", "/sys", "sysfs", 0, NULL))
		printf("# /sys: %s\n", strerror(errno));
	while (script && fgets(line, sizeof(line), script)) {
		char text[LINE], *words[WORDS + 1] = { NULL };
		int count = 0;

		line[strcspn(line, "\n")] = '\0';
		strcpy(text, line);
		for (char *word = strtok(text, " "); word && count < WORDS; word = strtok(NULL, " "))
			words[count++] = word;
		if (count == 0)
			continue;
		if (!strcmp(words[count - 1], "&")) {
			words[count - 1] = NULL;
			start(words);
		} else if (!strcmp(words[0], "write") && count == 3) {
			printf("# exit %d: %s\n", write_file(words[1], words[2]), line);
		} else {
			report(line, start(words));
		}
	}
	printf("# done\n");
	reboot(RB_POWER_OFF);
	return 1;
}
