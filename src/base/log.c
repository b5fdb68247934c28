/* The log file: where it goes is decided once, by the environment. */
#include "base/log.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

static struct {
	atomic_int fd; /* 0: off (nobody logs to standard input) */
	bool file;
	void (*filter)(void *data, char **line);
	void *data;
} log_state;

int log_open(struct err *err)
{
	const char *path = os_env("PACKER_LOG_PATH"), *on = os_env("PACKER_LOG");

	if (!on)
		on = os_env("INGOT_LOG");
	if (path) {
		int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_APPEND, 0600);

		if (fd < 0)
			return err_errno(err, errno, "opening the log %s", path);
		log_state.file = true;
		atomic_store(&log_state.fd, fd);
	} else if (on && !streq(on, "0")) {
		atomic_store(&log_state.fd, STDERR_FILENO);
	}
	return 0;
}

bool log_to_file(void)
{
	return log_state.file;
}

static bool log_on(void)
{
	return atomic_load(&log_state.fd) > 0;
}

void log_set_filter(void (*filter)(void *data, char **line), void *data)
{
	log_state.filter = filter;
	log_state.data = data;
}

void log_line(const char *fmt, ...)
{
	AUTO(buf) struct buf line = BUF_INIT;
	auto_free char *text = NULL;
	char stamp[32];
	time_t now;
	struct tm tm;
	va_list ap;

	if (!log_on())
		return;
	va_start(ap, fmt);
	buf_vprintf(&line, fmt, ap);
	va_end(ap);
	text = buf_steal(&line);
	if (log_state.filter)
		log_state.filter(log_state.data, &text);
	now = time(NULL);
	localtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%Y/%m/%d %H:%M:%S ", &tm);
	buf_printf(&line, "%s%s\n", stamp, text);
	/* Its failure is no matter: a full disk must not stop a build. */
	os_write_all(atomic_load(&log_state.fd), line.p, line.n);
}

void log_close(void)
{
	int fd = atomic_exchange(&log_state.fd, 0);

	if (fd > STDERR_FILENO)
		close(fd);
	log_state.file = false;
}
