/* Child processes in their own group, their output read by one poll loop. */
#include "base/proc.h"
#include "base/clock.h"
#include "base/os.h"
#include "base/vec.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define KILL_AFTER_MS 1000
#define LOOK_MS 20    /* without a pidfd */
#define LINGER_MS 100 /* silence of grandchildren that ends the reading */

extern char **environ;

struct child {
	pid_t pid;
	int pidfd;
	int in, out[2];	    /* our ends; -1 when closed */
	struct child *next; /* of those with a group of their own that run */
};

/* For proc_kill_all(). */
static struct child *running;
static pthread_mutex_t running_lock = PTHREAD_MUTEX_INITIALIZER;

/* Held from vfork to exec, and while a program is written: a child that has not yet reached exec
 * would keep the program open for writing, and running it would fail with ETXTBSY. */
static pthread_mutex_t start_lock = PTHREAD_MUTEX_INITIALIZER;

static void child_release(struct child *c)
{
	fd_close(&c->in);
	fd_close(&c->out[0]);
	fd_close(&c->out[1]);
	fd_close(&c->pidfd);
}
DEFINE_AUTO(child, struct child, child_release);

static bool same_variable(const char *a, const char *b)
{
	size_t n = strcspn(a, "=");

	return strncmp(a, b, n) == 0 && b[n] == '=';
}

/* The environment of the child: ours, with env's entries put over it. The strings are borrowed. */
static char **make_env(const struct proc_spec *spec)
{
	VEC(char *) v = VEC_INIT;

	for (char **e = environ; !spec->clean_env && *e; e++) {
		bool replaced = false;

		for (size_t i = 0; spec->env && spec->env[i] && !replaced; i++)
			replaced = same_variable(spec->env[i], *e);
		if (!replaced)
			vec_push(&v, *e);
	}
	for (size_t i = 0; spec->env && spec->env[i]; i++)
		if (strchr(spec->env[i], '='))
			vec_push(&v, (char *)spec->env[i]);
	vec_push(&v, NULL);
	return v.v;
}

static NORETURN void run_child(const struct proc_spec *spec, char **env, const int stdio[3],
			       int report)
{
	sigset_t none;

	if (spec->new_session)
		setsid();
	else if (!spec->own_terminal)
		setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	for (int i = 0; i < 3 && !spec->own_terminal; i++)
		dup2(stdio[i], i);
	if (!spec->dir || chdir(spec->dir) == 0)
		execvpe(spec->argv[0], (char *const *)spec->argv, env);
	os_write_all(report, &(int){ errno }, sizeof(int));
	_exit(127);
}

/* Starts it; the report pipe closes at exec, or carries the errno of what failed. */
static int start(const struct proc_spec *spec, struct child *c, struct err *err)
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, error[2] = { -1, -1 }, report[2] = { -1, -1 };
	auto_free char **env = make_env(spec);
	int failure = 0, saved;

	if (pipe2(report, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 ||
	    pipe2(error, O_CLOEXEC) < 0)
		goto fail;
	if (spec->input.n ? pipe2(in, O_CLOEXEC) < 0
			  : (in[0] = open("/dev/null", O_RDONLY | O_CLOEXEC)) < 0)
		goto fail;
	/* vfork: a process with hundreds of threads is not copied for each script. The child
	 * touches nothing of ours before exec but errno. */
	pthread_mutex_lock(&start_lock);
	c->pid = vfork();
	if (c->pid != 0)
		pthread_mutex_unlock(&start_lock);
	if (c->pid < 0)
		goto fail;
	if (c->pid == 0)
		run_child(spec, env, (int[]){ in[0], out[1], error[1] }, report[1]);
	if (!spec->own_terminal && !spec->new_session)
		setpgid(c->pid, c->pid);
	c->pidfd = (int)syscall(SYS_pidfd_open, c->pid, 0);
	c->in = in[1];
	c->out[PROC_STDOUT] = out[0];
	c->out[PROC_STDERR] = error[0];
	close(in[0]);
	close(out[1]);
	close(error[1]);
	close(report[1]);
	if (read(report[0], &failure, sizeof(failure)) == sizeof(failure)) {
		close(report[0]);
		waitpid(c->pid, NULL, 0);
		if (failure == ENOENT)
			return err_set(err, ERR_NOT_FOUND, "%s: no such program%s%s", spec->argv[0],
				       spec->dir ? ", or no such directory: " : "",
				       spec->dir ? spec->dir : "");
		return err_errno(err, failure, "starting %s", spec->argv[0]);
	}
	close(report[0]);
	return 0;
fail:
	saved = errno;
	for (int i = 0; i < 2; i++) {
		fd_close(&in[i]);
		fd_close(&out[i]);
		fd_close(&error[i]);
		fd_close(&report[i]);
	}
	return err_errno(err, saved, "starting %s", spec->argv[0]);
}

static void signal_group(const struct proc_spec *spec, const struct child *c, int sig)
{
	kill(spec->own_terminal ? c->pid : -c->pid, sig);
}

/* Reads what is there; closes at the end of the stream. */
static void pump(const struct proc_spec *spec, struct child *c, enum proc_stream s)
{
	char chunk[65536];
	ssize_t n = read(c->out[s], chunk, sizeof(chunk));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0)
		fd_close(&c->out[s]);
	else if (spec->on_output)
		spec->on_output(spec->data, s, chunk, (size_t)n);
}

static void feed(struct child *c, struct str *input)
{
	ssize_t n = write(c->in, input->p, input->n);

	if (n > 0)
		*input = str_slice(*input, (size_t)n, input->n);
	if ((n < 0 && errno != EAGAIN && errno != EINTR) || !input->n)
		fd_close(&c->in);
}

/* Where the kernel has no pidfd (valgrind has none), the end is looked for. */
static bool has_ended(const struct child *c)
{
	siginfo_t info = { 0 };

	return c->pidfd < 0 &&
	       waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == c->pid;
}

/* Runs the loop until the process has ended and its output is read. A grandchild that keeps the
 * pipes open does not hold us: what it says after the end of the process is waited for only while
 * it comes. */
static void loop(const struct proc_spec *spec, struct child *c, struct err *err)
{
	int64_t deadline = spec->timeout_ms ? clock_ms() + spec->timeout_ms : CLOCK_NEVER,
		kill_at = CLOCK_NEVER;
	struct str input = spec->input;
	bool ended = false;

	if (c->in >= 0)
		fcntl(c->in, F_SETFL, O_NONBLOCK);
	while (!ended || c->out[0] >= 0 || c->out[1] >= 0) {
		struct pollfd p[] = {
			{ .fd = ended ? -1 : c->pidfd, .events = POLLIN },
			{ .fd = c->out[0], .events = POLLIN },
			{ .fd = c->out[1], .events = POLLIN },
			{ .fd = c->in, .events = POLLOUT },
			{ .fd = err_any(err) ? -1 : cancel_fd(spec->cancel), .events = POLLIN },
		};
		int64_t look_at = c->pidfd < 0 ? clock_ms() + LOOK_MS : CLOCK_NEVER;
		int n = poll(p, ARRAY_LEN(p),
			     ended ? LINGER_MS : clock_left(MIN(look_at, MIN(deadline, kill_at))));

		if (p[1].revents)
			pump(spec, c, PROC_STDOUT);
		if (p[2].revents)
			pump(spec, c, PROC_STDERR);
		if (p[3].revents)
			feed(c, &input);
		if (p[0].revents || (!ended && has_ended(c)))
			ended = true;
		else if (ended && n == 0)
			break;
		if (!err_any(err) && (p[4].revents || clock_ms() >= deadline)) {
			if (p[4].revents)
				err_set(err, ERR_CANCELLED, "cancelled");
			else
				err_set(err, ERR_TIMEOUT, "%s did not end in time", spec->argv[0]);
			signal_group(spec, c, SIGTERM);
			deadline = CLOCK_NEVER;
			kill_at = clock_ms() + KILL_AFTER_MS;
		}
		if (clock_ms() >= kill_at) {
			signal_group(spec, c, SIGKILL);
			kill_at = CLOCK_NEVER;
		}
	}
}

static void note_running(struct child *c)
{
	pthread_mutex_lock(&running_lock);
	c->next = running;
	running = c;
	pthread_mutex_unlock(&running_lock);
}

/* Before it is reaped: after that its number may be somebody else's. */
static void forget_running(struct child *c)
{
	pthread_mutex_lock(&running_lock);
	for (struct child **link = &running; *link; link = &(*link)->next) {
		if (*link == c) {
			*link = c->next;
			break;
		}
	}
	pthread_mutex_unlock(&running_lock);
}

void proc_kill_all(void)
{
	pthread_mutex_lock(&running_lock);
	for (struct child *c = running; c; c = c->next)
		kill(-c->pid, SIGKILL);
	pthread_mutex_unlock(&running_lock);
}

int proc_run(const struct proc_spec *spec, int *ret_status, struct err *err)
{
	AUTO(child) struct child c = { .pidfd = -1, .in = -1, .out = { -1, -1 } };
	sigset_t pipe_signal;
	int status;

	/* A child that reads no input must not end us; threads have their own mask. */
	sigemptyset(&pipe_signal);
	sigaddset(&pipe_signal, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe_signal, NULL);
	if (start(spec, &c, err) < 0)
		return -1;
	if (!spec->own_terminal && !spec->new_session)
		note_running(&c);
	loop(spec, &c, err);
	forget_running(&c);
	while (waitpid(c.pid, &status, 0) < 0 && errno == EINTR)
		;
	if (err_any(err)) {
		signal_group(spec, &c, SIGKILL); /* what is left of the group */
		return -1;
	}
	*ret_status = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
	return 0;
}

int proc_temp_program(const char *prefix, const char *suffix, struct str text, char **ret_path,
		      struct err *err)
{
	auto_free char *path = NULL;
	int fd = -1, failure = 0;

	pthread_mutex_lock(&start_lock);
	if (os_temp_file(prefix, suffix, &path, &fd, err) < 0) {
		pthread_mutex_unlock(&start_lock);
		return -1;
	}
	if (os_write_all(fd, text.p, text.n) < 0 || fchmod(fd, 0700) < 0)
		failure = errno;
	close(fd);
	pthread_mutex_unlock(&start_lock);
	if (failure) {
		unlink(path);
		return err_errno(err, failure, "writing %s", path);
	}
	*ret_path = steal(path);
	return 0;
}

struct capture {
	struct buf out, error;
	size_t max;
};

static void capture_output(void *data, enum proc_stream s, const char *p, size_t n)
{
	struct capture *c = data;

	if (s == PROC_STDOUT) {
		buf_add(&c->out, p, n);
		return;
	}
	buf_add(&c->error, p, n);
	if (c->error.n > 4096)
		buf_remove(&c->error, 0, c->error.n - 2048);
}

int proc_output(const struct proc_spec *spec, size_t max, struct buf *ret, struct err *err)
{
	struct capture c = { .out = { .max = max } };
	struct proc_spec s = *spec;
	int status, result;

	s.on_output = capture_output;
	s.data = &c;
	result = proc_run(&s, &status, err);
	if (result == 0 && status != 0) {
		struct str tail = str_trim(buf_str(&c.error));

		err->os = status;
		result = err_set(err, ERR_EXIT, "%s ended with status %d%s" STR_FMT, spec->argv[0],
				 status, tail.n ? ": " : "", STR_ARG(tail));
	} else if (result == 0 && c.out.overflow) {
		result = err_set(err, ERR_INVALID, "%s printed more than %zu bytes", spec->argv[0],
				 max);
	} else if (result == 0) {
		buf_add_str(ret, buf_str(&c.out));
	}
	buf_release(&c.out);
	buf_release(&c.error);
	return result;
}
