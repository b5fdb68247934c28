/* AWS's shared files: ~/.aws/config and ~/.aws/credentials, read once into one table. */
#ifndef INGOT_AWS_FILES_H
#define INGOT_AWS_FILES_H

#include "base/err.h"
#include "base/str.h"

struct aws_files;

/* credentials_file: the template's shared_credentials_file, or NULL for AWS_SHARED_CREDENTIALS_FILE
 * or the default. Files that are absent are empty, but one named by the template must be there
 * (ERR_NOT_FOUND). A broken section header is ERR_INVALID with file and line. */
int aws_files_load(const char *credentials_file, struct aws_files **ret, struct err *err) MUST_USE;
void aws_files_free(struct aws_files *f);
DEFINE_AUTO_PTR(aws_files, struct aws_files *, aws_files_free);

/* The section is there. kind: "profile", "sso-session", "services". */
bool aws_files_has(const struct aws_files *f, const char *kind, const char *name);
/* A setting; sub is the nested block's name ("ec2" in a services section) or NULL. NULL when absent
 * or empty. The credentials file wins over the config file. */
const char *aws_files_get(const struct aws_files *f, const char *kind, const char *name,
			  const char *sub, const char *key);
/* The paths, for messages. */
const char *aws_files_config_path(const struct aws_files *f);
const char *aws_files_credentials_path(const struct aws_files *f);

#endif
