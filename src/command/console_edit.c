/* The line editor of the console: libedit, opened at first use, with its history file and our
 * completion. */
#include "command/console_edit.h"

#include "base/dl.h"
#include "base/os.h"

#include <errno.h>
#include <histedit.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

#define HISTORY_LINES 1000
#define NAMES_MAX 500
#define COLUMNS 80

static struct {
	EditLine *(*init)(const char *, FILE *, FILE *, FILE *);
	void (*end)(EditLine *);
	int (*set)(EditLine *, int, ...);
	int (*wset)(EditLine *, int, ...);
	int (*get)(EditLine *, int, ...);
	const char *(*next_line)(EditLine *, int *);
	const LineInfo *(*line)(EditLine *);
	int (*insertstr)(EditLine *, const char *);
	void (*deletestr)(EditLine *, int);
	void (*reset)(EditLine *);
	History *(*history_init)(void);
	void (*history_end)(History *);
	int (*history)(History *, HistEvent *, int, ...);
} edit;

static const struct dl_symbol symbols[] = {
	DL_SYMBOL(edit, el_init, init),
	DL_SYMBOL(edit, el_end, end),
	DL_SYMBOL(edit, el_set, set),
	DL_SYMBOL(edit, el_wset, wset),
	DL_SYMBOL(edit, el_get, get),
	DL_SYMBOL(edit, el_gets, next_line),
	DL_SYMBOL(edit, el_line, line),
	DL_SYMBOL(edit, el_insertstr, insertstr),
	DL_SYMBOL(edit, el_deletestr, deletestr),
	DL_SYMBOL(edit, el_reset, reset),
	DL_SYMBOL(edit, history_init, history_init),
	DL_SYMBOL(edit, history_end, history_end),
	DL_SYMBOL(edit, history, history),
};
static struct dl_library library = { "libedit.so.2", "libedit2", symbols, ARRAY_LEN(symbols),
				     NULL };

struct console_edit {
	EditLine *el; /* NULL: no library, or no terminal */
	History *history;
	char *history_path;
	const char *prompt;
	console_complete_fn *complete;
	void *data;
	sigset_t interrupt; /* SIGINT: blocked while a line is edited */
	int signals;	    /* where it arrives then */
	bool interrupted;
};

static const char *show_prompt(EditLine *el)
{
	struct console_edit *e = NULL;

	edit.get(el, EL_CLIENTDATA, &e);
	return e->prompt;
}

/* What all names have in common beyond the `known` bytes that are typed already. */
static struct str common_rest(const char *const *names, size_t n, size_t known)
{
	size_t len = strlen(names[0]);

	for (size_t i = 1; i < n; i++)
		for (size_t j = known; j < len; j++)
			if (names[i][j] != names[0][j])
				len = j;
	return (struct str){ names[0] + known, len - known };
}

static void list_names(const char *const *names, size_t n)
{
	size_t width = 0, each;

	for (size_t i = 0; i < n; i++)
		width = MAX(width, strlen(names[i]) + 2);
	each = MAX(COLUMNS / width, (size_t)1);
	for (size_t i = 0; i < n; i++)
		printf("%s%-*s", i % each ? "" : "\n", (int)width, names[i]);
	printf("\n");
	fflush(stdout);
}

static bool in_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-' || c == '.' || (uint8_t)c >= 0x80;
}

static unsigned char on_tab(EditLine *el, int key UNUSED)
{
	AUTO(arena) struct arena *a = arena_new();
	const LineInfo *line = edit.line(el);
	struct str before = { line->buffer, (size_t)(line->cursor - line->buffer) }, rest;
	const char *names[NAMES_MAX];
	struct console_edit *e = NULL;
	size_t n, word = 0;

	edit.get(el, EL_CLIENTDATA, &e);
	n = e->complete(e->data, a, before, names, NAMES_MAX);
	if (!n)
		return CC_REFRESH_BEEP;
	while (word < before.n && in_name(before.p[before.n - word - 1]))
		word++;
	rest = common_rest(names, n, word);
	if (rest.n) {
		edit.insertstr(el, arena_str(a, rest).p);
		return CC_REFRESH;
	}
	list_names(names, n);
	return CC_REDISPLAY;
}

/* Waits for the terminal or Control-C. -1: it was that. */
static int await_key(struct console_edit *e)
{
	enum { KEY, SIGNAL };
	struct pollfd p[] = {
		[KEY] = { .fd = STDIN_FILENO, .events = POLLIN },
		[SIGNAL] = { .fd = e->signals, .events = POLLIN },
	};
	struct signalfd_siginfo info;

	while (poll(p, ARRAY_LEN(p), -1) < 0 && errno == EINTR)
		;
	e->interrupted = read(e->signals, &info, sizeof(info)) == sizeof(info);
	return e->interrupted ? -1 : 0;
}

static int read_character(EditLine *el, wchar_t *ret)
{
	struct console_edit *e = NULL;
	mbstate_t state = { 0 };
	char byte;

	edit.get(el, EL_CLIENTDATA, &e);
	for (;;) {
		ssize_t n;

		if (await_key(e) < 0)
			return -1;
		n = read(STDIN_FILENO, &byte, 1);
		if (n <= 0)
			return (int)n;
		switch (mbrtowc(ret, &byte, 1, &state)) {
		case (size_t)-1: /* no character: left out */
			state = (mbstate_t){ 0 };
			break;
		case (size_t)-2: /* its next byte */
			break;
		default:
			return 1;
		}
	}
}

static void open_history(struct console_edit *e)
{
	const char *set = os_env("INGOT_STATE_DIR");
	auto_free char *dir = set ? xstrdup(set) : os_xdg_dir("STATE");
	AUTO(err) struct err err = ERR_INIT;
	HistEvent ev;

	e->history = edit.history_init();
	if (!e->history)
		return;
	edit.history(e->history, &ev, H_SETSIZE, HISTORY_LINES);
	edit.history(e->history, &ev, H_SETUNIQUE, 1);
	edit.set(e->el, EL_HIST, edit.history, e->history);
	if (os_mkdir_all(dir, 0700, &err) < 0)
		return; /* no history that lasts is no reason not to talk */
	e->history_path = os_path_join(dir, "console_history");
	edit.history(e->history, &ev, H_LOAD, e->history_path);
}

struct console_edit *console_edit_new(console_complete_fn *complete, void *data)
{
	struct console_edit *e = xcalloc(1, sizeof(*e));
	AUTO(err) struct err err = ERR_INIT;

	e->complete = complete;
	e->data = data;
	e->signals = -1;
	if (dl_open(&library, &err) < 0)
		return e;
	setlocale(LC_CTYPE, ""); /* what the terminal's bytes are */
	e->el = edit.init("ingot", stdin, stdout, stderr);
	if (!e->el)
		return e;
	edit.set(e->el, EL_CLIENTDATA, e);
	edit.set(e->el, EL_PROMPT, show_prompt);
	edit.set(e->el, EL_EDITOR, "emacs");
	edit.set(e->el, EL_SIGNAL, 0);
	edit.set(e->el, EL_GETCFN, read_character);
	/* The wide call: el_set() keeps copies of the texts that nothing frees. */
	edit.wset(e->el, EL_ADDFN, L"ingot-complete", L"Completes a name", on_tab);
	edit.set(e->el, EL_BIND, "^I", "ingot-complete", NULL);
	edit.set(e->el, EL_BIND, "^R", "em-inc-search-prev", NULL);
	sigemptyset(&e->interrupt);
	sigaddset(&e->interrupt, SIGINT);
	e->signals = signalfd(-1, &e->interrupt, SFD_CLOEXEC | SFD_NONBLOCK);
	open_history(e);
	return e;
}

/* What another console wrote meanwhile is lost: the last one to leave wins. */
static void save_history(const struct console_edit *e)
{
	mode_t was = umask(077);
	HistEvent ev;

	edit.history(e->history, &ev, H_SAVE, e->history_path);
	umask(was);
	chmod(e->history_path, 0600);
}

void console_edit_free(struct console_edit *e)
{
	if (!e)
		return;
	if (e->history && e->history_path)
		save_history(e);
	if (e->el)
		edit.end(e->el);
	if (e->history)
		edit.history_end(e->history);
	fd_close(&e->signals);
	free(e->history_path);
	free(e);
}

static bool plain_line(const char *prompt, struct buf *ret)
{
	auto_free char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	fputs(prompt, stdout);
	fflush(stdout);
	n = getline(&line, &cap, stdin);
	if (n < 0)
		return false;
	buf_add(ret, line, (size_t)n - (n && line[n - 1] == '\n'));
	return true;
}

/* Control-C drops what was typed; where nothing was, it leaves. */
static bool edited_line(struct console_edit *e, struct buf *ret)
{
	sigset_t was;
	const char *text;
	HistEvent ev;
	int n = 0;

	sigprocmask(SIG_BLOCK, &e->interrupt, &was);
	for (;;) {
		const LineInfo *line;

		e->interrupted = false;
		text = edit.next_line(e->el, &n);
		if (!e->interrupted || text)
			break;
		line = edit.line(e->el);
		printf("^C\n");
		fflush(stdout);
		if (line->lastchar == line->buffer)
			break;
		edit.reset(e->el);
	}
	sigprocmask(SIG_SETMASK, &was, NULL);
	if (!text || n <= 0)
		return false;
	buf_add(ret, text, (size_t)n - (text[n - 1] == '\n'));
	if (e->history && ret->n)
		edit.history(e->history, &ev, H_ENTER, text);
	return true;
}

bool console_edit_line(struct console_edit *e, const char *prompt, struct buf *ret)
{
	bool got;

	buf_reset(ret);
	e->prompt = prompt;
	got = e->el ? edited_line(e, ret) : plain_line(prompt, ret);
	if (!got && !e->interrupted) {
		fputs("\n", stdout);
		fflush(stdout);
	}
	return got;
}
