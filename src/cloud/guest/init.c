/* Process 1 of an image without an init: sshd and user data are started, orphans reaped, and the
 * end is orderly.
 */
#include "guest.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_SECONDS 5

/* What systemd understands, so that one backend code stops both. */
#define SIG_POWEROFF (SIGRTMIN + 4)
#define SIG_REBOOT (SIGRTMIN + 5)

static pid_t spawn(const char *path, const char *argument)
{
	pid_t pid = fork();
	sigset_t none;

	if (pid != 0)
		return pid;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	execl(path, path, argument, (char *)NULL);
	guest_say("starting %s: %s", path, strerror(errno));
	_exit(127);
}

static void reap(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

/* TERM to all, KILL to those that are left; ends when no process is. */
static NORETURN void end(int how)
{
	struct timespec limit = { .tv_sec = PATIENCE_SECONDS };
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	kill(-1, SIGTERM);
	kill(-1, SIGCONT);
	while (waitpid(-1, NULL, WNOHANG) >= 0)
		if (sigtimedwait(&child, NULL, &limit) < 0 && errno == EAGAIN)
			break;
	kill(-1, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
	sync();
	reboot(how);
	_exit(0);
}

void guest_pid1(bool user_data)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	reboot(RB_DISABLE_CAD);
	if (mkdir("/run/sshd", 0755) < 0 && errno != EEXIST)
		guest_say("/run/sshd: %s", strerror(errno));
	if (access("/usr/sbin/sshd", X_OK) == 0)
		spawn("/usr/sbin/sshd", "-D");
	else
		guest_say("the image has neither an init nor /usr/sbin/sshd: nobody can log in");
	if (user_data)
		spawn(GUEST_PATH, "user-data");
	for (;;) {
		int sig = sigwaitinfo(&all, NULL);

		if (sig == SIGCHLD)
			reap();
		else if (sig == SIG_POWEROFF || sig == SIGTERM || sig == SIGINT)
			end(RB_POWER_OFF);
		else if (sig == SIG_REBOOT)
			end(RB_AUTOBOOT);
	}
}
