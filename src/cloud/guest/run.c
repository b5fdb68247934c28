/* Starting programs of the image. As pid 1 also reaps what was handed to it meanwhile. */
#include "guest.h"
#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static NORETURN void child(const char *const *argv, int in, int out, int error)
{
	if (in >= 0)
		dup2(in, STDIN_FILENO);
	if (out >= 0)
		dup2(out, STDOUT_FILENO);
	if (error >= 0)
		dup2(error, STDERR_FILENO);
	execvp(argv[0], (char *const *)argv);
	dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static int wait_for(pid_t pid, const char *name, struct err *err)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_errno(err, errno, "waiting for %s", name);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	err_set(err, ERR_EXIT, "%s ended with %s %d", name,
		WIFEXITED(status) ? "exit status" : "signal",
		WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
	err->os = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return -1;
}

/* What a program says goes to the log and to the console. */
static int run_logged(const char *const *argv, int log_fd, struct err *err)
{
	auto_fd int null = open("/dev/null", O_RDWR | O_CLOEXEC), out = -1;
	char chunk[16384];
	int ends[2];
	ssize_t n;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_errno(err, errno, "starting %s", argv[0]);
	pid = fork();
	if (pid == 0)
		child(argv, null, ends[1], ends[1]);
	close(ends[1]);
	out = ends[0];
	if (pid < 0)
		return err_errno(err, errno, "starting %s", argv[0]);
	while ((n = read(out, chunk, sizeof(chunk))) > 0) {
		os_write_all(log_fd, chunk, (size_t)n);
		os_write_all(STDOUT_FILENO, chunk, (size_t)n);
	}
	return wait_for(pid, argv[0], err);
}

int guest_run(const char *const *argv, int log_fd, struct err *err)
{
	auto_fd int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	pid_t pid;

	if (log_fd >= 0)
		return run_logged(argv, log_fd, err);
	pid = fork();
	if (pid < 0)
		return err_errno(err, errno, "starting %s", argv[0]);
	if (pid == 0)
		child(argv, null, -1, -1);
	return wait_for(pid, argv[0], err);
}

/* Moves the input in and the output out at once, so that neither pipe can fill up for good. */
static int pump(int in, struct str input, int out, struct buf *ret, struct err *err)
{
	fcntl(in, F_SETFL, O_NONBLOCK);
	for (;;) {
		struct pollfd p[] = { { in, POLLOUT, 0 }, { out, POLLIN, 0 } };
		char chunk[65536];
		ssize_t n;

		if (in >= 0 && !input.n)
			fd_close(&in);
		p[0].fd = in;
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return err_errno(err, errno, "polling");
		if (p[0].revents) {
			n = write(in, input.p, input.n);
			if (n > 0)
				input = str_slice(input, (size_t)n, input.n);
			else if (n < 0 && errno != EAGAIN)
				input.n = 0;
		}
		if (!p[1].revents)
			continue;
		n = read(out, chunk, sizeof(chunk));
		if (n <= 0) {
			fd_close(&in);
			return 0;
		}
		if (ret->n + (size_t)n > GUEST_FILE_MAX) {
			fd_close(&in);
			return err_set(err, ERR_INVALID, "more than %zu bytes", GUEST_FILE_MAX);
		}
		buf_add(ret, chunk, (size_t)n);
	}
}

int guest_filter(const char *const *argv, struct str input, struct buf *ret, struct err *err)
{
	int in[2], out[2], failed;
	pid_t pid;

	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
		return err_errno(err, errno, "starting %s", argv[0]);
	signal(SIGPIPE, SIG_IGN);
	pid = fork();
	if (pid < 0)
		return err_errno(err, errno, "starting %s", argv[0]);
	if (pid == 0) {
		signal(SIGPIPE, SIG_DFL);
		child(argv, in[0], out[1], -1);
	}
	close(in[0]);
	close(out[1]);
	failed = pump(in[1], input, out[0], ret, err);
	close(out[0]);
	signal(SIGPIPE, SIG_DFL);
	if (failed < 0) {
		AUTO(err) struct err ignored = ERR_INIT;

		wait_for(pid, argv[0], &ignored);
		return -1;
	}
	return wait_for(pid, argv[0], err);
}

void guest_install_self(void)
{
	AUTO(buf) struct buf self = BUF_INIT;
	AUTO(err) struct err err = ERR_INIT;

	if ((mkdir("/run/ingot", 0755) < 0 && errno != EEXIST) ||
	    os_read_file("/proc/self/exe", GUEST_FILE_MAX, &self, &err) < 0 ||
	    os_write_file(GUEST_PATH, self.p, self.n, 0755, &err) < 0)
		guest_say("keeping this program in " GUEST_PATH ": %s",
			  err_any(&err) ? err.msg : strerror(errno));
}

void guest_environment(void)
{
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(err) struct err ignored = ERR_INIT;
	struct str rest, line;

	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
	setenv("HOME", "/root", 1);
	if (os_read_file("/etc/environment", GUEST_FILE_MAX, &text, &ignored) < 0)
		return;
	rest = buf_str(&text);
	while (str_split(&rest, '\n', &line)) {
		auto_free char *name = NULL, *value = NULL;
		ptrdiff_t equals = str_find(line, STR("="));

		if (equals <= 0 || line.p[0] == '#')
			continue;
		name = xstrndup(line.p, (size_t)equals);
		line = str_slice(line, (size_t)equals + 1, line.n);
		if (line.n >= 2 && line.p[0] == '"' && line.p[line.n - 1] == '"')
			line = str_slice(line, 1, line.n - 1);
		value = xstrndup(line.p, line.n);
		setenv(name, value, 1);
	}
}

bool guest_has(const char *program)
{
	static const char *const dirs[] = {
		"/usr/local/bin", "/usr/bin", "/usr/sbin", "/bin", "/sbin",
	};

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		auto_free char *path = xasprintf("%s/%s", dirs[i], program);

		if (access(path, X_OK) == 0)
			return true;
	}
	return false;
}
