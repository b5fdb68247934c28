/* Questions on the controlling terminal: raw while one waits, Enter is CR. The question itself is
 * an event, so that it stands in the output in its place. */
#include "engine/inner.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <termios.h>
#include <unistd.h>

enum { ANSWER_MAX = 4096 };

static void echo(int tty, const char *s)
{
	if (os_write_all(tty, s, strlen(s)) < 0)
		log_line("the terminal: %m");
}

/* One byte of the answer; true when it is complete. What is hidden shows as nothing. */
static bool take(int tty, char c, bool hidden, struct buf *answer)
{
	switch (c) {
	case '\r':
		echo(tty, "\r\n");
		return true;
	case '\n':
		return false;
	case 0x7f:
	case '\b':
		if (answer->n) {
			buf_truncate(answer, answer->n - 1);
			echo(tty, hidden ? "" : "\b \b");
		}
		return false;
	default:
		if (answer->n < ANSWER_MAX) {
			buf_addc(answer, c);
			echo(tty, hidden ? "" : (char[]){ c, 0 });
		}
		return false;
	}
}

static int read_answer(int tty, const struct cancel *cancel, bool hidden, struct buf *answer,
		       struct err *err)
{
	struct pollfd p[] = { { .fd = tty, .events = POLLIN },
			      { .fd = cancel_fd(cancel), .events = POLLIN } };

	for (;;) {
		char c;
		ssize_t n;

		if (poll(p, ARRAY_LEN(p), -1) < 0 && errno != EINTR)
			return err_errno(err, errno, "waiting for an answer");
		if (cancel_check(cancel, err) < 0)
			return -1;
		if (!p[0].revents)
			continue;
		n = read(tty, &c, 1);
		if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
			return err_set(err, ERR_IO,
				       "the terminal was closed before the question was answered");
		if (n == 1 && take(tty, c, hidden, answer))
			return 0;
	}
}

/* Characters come as they are typed, without echo; Ctrl-C stays a signal. */
static void make_raw(const struct termios *before, struct termios *ret)
{
	*ret = *before;
	ret->c_iflag &= ~(tcflag_t)(ICRNL | INLCR | IGNCR | IXON);
	ret->c_lflag &= ~(tcflag_t)(ICANON | ECHO | ECHONL | IEXTEN);
	ret->c_cc[VMIN] = 1;
	ret->c_cc[VTIME] = 0;
}

static int ask_on(int tty, struct build *b, const char *question, bool hidden, struct buf *answer,
		  struct err *err)
{
	struct event e = { .kind = EVENT_QUESTION,
			   .build = b->spec->name,
			   .part = b->part,
			   .build_index = b->index,
			   .text = str_from(question) };
	struct termios before, raw;
	int rc;

	if (tcgetattr(tty, &before) < 0)
		return err_set(err, ERR_UNSUPPORTED, "there is no terminal");
	make_raw(&before, &raw);
	tcsetattr(tty, TCSADRAIN, &raw);
	events_emit(b->run->events, &e);
	rc = read_answer(tty, b->cancel, hidden, answer, err);
	tcsetattr(tty, TCSADRAIN, &before);
	e.kind = EVENT_ANSWERED;
	events_emit(b->run->events, &e);
	return rc;
}

static int ask(struct build *b, const char *question, bool hidden, char **ret_answer,
	       struct err *err)
{
	AUTO(buf) struct buf answer = BUF_INIT;
	auto_fd int tty = -1;
	int rc;

	if (!b->run->no_questions)
		tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (tty < 0)
		return err_set(err, ERR_UNSUPPORTED, "there is no terminal");
	pthread_mutex_lock(b->inner->ask_lock);
	rc = cancel_check(b->cancel, err);
	if (rc == 0)
		rc = ask_on(tty, b, question, hidden, &answer, err);
	pthread_mutex_unlock(b->inner->ask_lock);
	if (rc == 0)
		*ret_answer = buf_steal(&answer);
	return rc;
}

int build_ask(struct build *b, const char *question, char **ret_answer, struct err *err)
{
	return ask(b, question, false, ret_answer, err);
}

int build_ask_secret(struct build *b, const char *question, char **ret_answer, struct err *err)
{
	if (ask(b, question, true, ret_answer, err) < 0)
		return -1;
	build_secret(b, *ret_answer);
	return 0;
}

void build_pause(struct build *b, const char *fmt, ...)
{
	AUTO(err) struct err err = ERR_INIT;
	AUTO(buf) struct buf question = BUF_INIT;
	auto_free char *answer = NULL;
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&question, fmt, ap);
	va_end(ap);
	buf_adds(&question, " Press enter to continue.");
	if (build_ask(b, buf_cstr(&question), &answer, &err) < 0)
		log_line("[INFO] (%s) not paused: %s", b->spec->name, err.msg);
}
