/* The signal thread. The signals are blocked in all threads and taken by sigwait, so that what they
 * cause may lock and print. A hangup is obeyed once: a terminal that goes away sends it twice, by
 * its shell and by the kernel. Under nohup it is not obeyed at all. */
#include "command/interrupt.h"

#include "base/base.h"

#include <pthread.h>
#include <signal.h>

struct interrupt {
	void (*first)(void *data, const char *signal);
	void (*second)(void *data);
	void *data;
	sigset_t set, before;
	pthread_t thread;
};

/* SIGUSR2, sent to the thread alone, ends it. */
enum { SIGNAL_END = SIGUSR2 };

static const char *name_of(int signal)
{
	return signal == SIGINT ? "interrupt" : signal == SIGTERM ? "terminated" : "hangup";
}

static void *watch(void *data)
{
	struct interrupt *i = data;
	int signal, seen = 0;

	while (sigwait(&i->set, &signal) == 0 && signal != SIGNAL_END) {
		if (seen++ == 0)
			i->first(i->data, name_of(signal));
		else if (signal != SIGHUP)
			i->second(i->data);
	}
	return NULL;
}

struct interrupt *interrupt_watch(void (*first)(void *data, const char *signal),
				  void (*second)(void *data), void *data)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGNAL_END };
	struct interrupt *i = xcalloc(1, sizeof(*i));
	struct sigaction hangup;

	*i = (struct interrupt){ .first = first, .second = second, .data = data };
	sigemptyset(&i->set);
	for (size_t k = 0; k < ARRAY_LEN(signals); k++)
		sigaddset(&i->set, signals[k]);
	if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler == SIG_IGN)
		sigdelset(&i->set, SIGHUP); /* sigwait would take even what is ignored */
	pthread_sigmask(SIG_BLOCK, &i->set, &i->before);
	if (pthread_create(&i->thread, NULL, watch, i) != 0) {
		/* Without the thread the signals do what they always do. */
		pthread_sigmask(SIG_SETMASK, &i->before, NULL);
		free(i);
		return NULL;
	}
	return i;
}

void interrupt_end(struct interrupt *i)
{
	if (!i)
		return;
	pthread_kill(i->thread, SIGNAL_END);
	pthread_join(i->thread, NULL);
	pthread_sigmask(SIG_SETMASK, &i->before, NULL);
	free(i);
}
