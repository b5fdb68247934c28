/* User data: which part is run when, and by what. Scripts run once for each instance id. */
#include "guest.h"
#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCRIPTS GUEST_STATE "/scripts"

enum part_kind { PART_SCRIPT, PART_CONFIG, PART_BOOTHOOK, PART_UNKNOWN };

static const struct {
	const char *start;
	enum part_kind kind;
} kinds[] = {
	{ "#!", PART_SCRIPT },
	{ "#cloud-boothook", PART_BOOTHOOK },
	{ "#cloud-config-archive", PART_UNKNOWN },
	{ "#cloud-config-jsonp", PART_UNKNOWN },
	{ "#cloud-config", PART_CONFIG },
};

static enum part_kind kind_of(struct str text)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (str_starts(text, kinds[i].start))
			return kinds[i].kind;
	return PART_UNKNOWN;
}

static int open_log(void)
{
	return open(GUEST_LOG, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
}

static int run_script(struct str text, size_t i, int log_fd)
{
	auto_free char *path = xasprintf(SCRIPTS "/part-%03zu", i + 1);
	const char *argv[] = { path, NULL };
	AUTO(err) struct err err = ERR_INIT;

	if (os_mkdir_all(SCRIPTS, 0700, &err) < 0 ||
	    os_write_file(path, text.p, text.n, 0700, &err) < 0 ||
	    guest_run(argv, log_fd, &err) < 0) {
		err_prefix(&err, "user data");
		guest_say_err(&err);
		return -1;
	}
	return 0;
}

/* Reads the user data into its parts; 0 when there is none. */
static size_t load(const char *path, struct guest_part parts[GUEST_PARTS_MAX])
{
	AUTO(buf) struct buf data = BUF_INIT;
	AUTO(err) struct err ignored = ERR_INIT;

	if (os_read_file(path, GUEST_FILE_MAX, &data, &ignored) < 0)
		return 0;
	return guest_split(buf_str(&data), parts);
}

static bool fetch(void)
{
	AUTO(buf) struct buf data = BUF_INIT;
	AUTO(err) struct err err = ERR_INIT;

	if (guest_imds("user-data", &data, &err) < 0) {
		if (err.code != ERR_NOT_FOUND && err.code != ERR_IO)
			guest_say_err(&err);
		return false;
	}
	if (!data.n)
		return false;
	if (os_write_file(GUEST_USER_DATA, data.p, data.n, 0600, &err) < 0) {
		guest_say_err(&err);
		return false;
	}
	return true;
}

bool guest_user_data_early(bool first)
{
	struct guest_part parts[GUEST_PARTS_MAX];
	auto_fd int log_fd = -1;
	bool more = false;
	size_t n;

	if (!fetch())
		return false;
	log_fd = open_log();
	n = load(GUEST_USER_DATA, parts);
	for (size_t i = 0; i < n; i++) {
		struct str text = { parts[i].text, parts[i].n };

		switch (kind_of(text)) {
		case PART_BOOTHOOK:
			run_script(text, i, log_fd);
			break;
		case PART_CONFIG:
			if (first)
				guest_cloud_config(text, false, log_fd);
			more = true;
			break;
		case PART_SCRIPT:
			more = true;
			break;
		case PART_UNKNOWN:
			if (first)
				guest_say("user data: a part that starts with \"%.*s\" is not "
					  "run: ingot knows #!, #cloud-config and #cloud-boothook",
					  (int)MIN(strcspn(parts[i].text, "\r\n"), (size_t)40),
					  parts[i].text);
			break;
		}
	}
	guest_parts_free(parts, n);
	return first && more;
}

int guest_user_data_late(void)
{
	struct guest_part parts[GUEST_PARTS_MAX];
	auto_fd int log_fd = open_log();
	size_t n = load(GUEST_USER_DATA, parts);
	int ret = 0;

	for (size_t i = 0; i < n; i++)
		if (kind_of((struct str){ parts[i].text, parts[i].n }) == PART_CONFIG)
			guest_cloud_config((struct str){ parts[i].text, parts[i].n }, true, log_fd);
	for (size_t i = 0; i < n; i++)
		if (kind_of((struct str){ parts[i].text, parts[i].n }) == PART_SCRIPT &&
		    run_script((struct str){ parts[i].text, parts[i].n }, i, log_fd) < 0)
			ret = 1;
	guest_parts_free(parts, n);
	guest_say("user data: done");
	return ret;
}
