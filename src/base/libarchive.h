/* libarchive, opened at first use: `if (libarchive_open(err) < 0) …` then archive.write_new() and
 * so on. */
#ifndef INGOT_BASE_LIBARCHIVE_H
#define INGOT_BASE_LIBARCHIVE_H

#include "base/err.h"

#include <archive.h>
#include <archive_entry.h>

/* One row a function: X(member, symbol). The members have the symbols' own types. */
#define LIBARCHIVE_FUNCTIONS(X) \
	X(write_new, archive_write_new) \
	X(write_free, archive_write_free) \
	X(write_close, archive_write_close) \
	X(write_open_fd, archive_write_open_fd) \
	X(write_open, archive_write_open) \
	X(write_header, archive_write_header) \
	X(write_data, archive_write_data) \
	X(write_finish_entry, archive_write_finish_entry) \
	X(write_set_bytes_per_block, archive_write_set_bytes_per_block) \
	X(write_set_bytes_in_last_block, archive_write_set_bytes_in_last_block) \
	X(write_set_filter_option, archive_write_set_filter_option) \
	X(write_set_format_option, archive_write_set_format_option) \
	X(write_set_format_pax_restricted, archive_write_set_format_pax_restricted) \
	X(write_set_format_gnutar, archive_write_set_format_gnutar) \
	X(write_set_format_zip, archive_write_set_format_zip) \
	X(write_set_format_raw, archive_write_set_format_raw) \
	X(write_add_filter_none, archive_write_add_filter_none) \
	X(write_add_filter_gzip, archive_write_add_filter_gzip) \
	X(write_add_filter_bzip2, archive_write_add_filter_bzip2) \
	X(write_add_filter_xz, archive_write_add_filter_xz) \
	X(write_add_filter_lz4, archive_write_add_filter_lz4) \
	X(write_disk_new, archive_write_disk_new) \
	X(write_disk_set_options, archive_write_disk_set_options) \
	X(write_data_block, archive_write_data_block) \
	X(read_new, archive_read_new) \
	X(read_free, archive_read_free) \
	X(read_support_format_all, archive_read_support_format_all) \
	X(read_support_filter_all, archive_read_support_filter_all) \
	X(read_support_format_tar, archive_read_support_format_tar) \
	X(read_open, archive_read_open) \
	X(read_open_fd, archive_read_open_fd) \
	X(read_open_filename, archive_read_open_filename) \
	X(read_next_header, archive_read_next_header) \
	X(read_data, archive_read_data) \
	X(read_data_block, archive_read_data_block) \
	X(read_data_skip, archive_read_data_skip) \
	X(read_disk_new, archive_read_disk_new) \
	X(error_string, archive_error_string) \
	X(error_number, archive_errno) \
	X(set_error, archive_set_error) \
	X(entry_new, archive_entry_new) \
	X(entry_free, archive_entry_free) \
	X(entry_clear, archive_entry_clear) \
	X(entry_pathname, archive_entry_pathname) \
	X(entry_set_pathname, archive_entry_set_pathname) \
	X(entry_set_size, archive_entry_set_size) \
	X(entry_size, archive_entry_size) \
	X(entry_filetype, archive_entry_filetype) \
	X(entry_set_filetype, archive_entry_set_filetype) \
	X(entry_perm, archive_entry_perm) \
	X(entry_set_perm, archive_entry_set_perm) \
	X(entry_set_mtime, archive_entry_set_mtime) \
	X(entry_set_symlink, archive_entry_set_symlink) \
	X(entry_symlink, archive_entry_symlink) \
	X(entry_hardlink, archive_entry_hardlink) \
	X(entry_set_uid, archive_entry_set_uid) \
	X(entry_set_gid, archive_entry_set_gid)

struct libarchive {
#define X(member, symbol) __typeof__(&symbol) member;
	LIBARCHIVE_FUNCTIONS(X)
#undef X
};

extern struct libarchive libarchive;

int libarchive_open(struct err *err) MUST_USE;

#endif
