/* Files through the server's sftp subsystem, for machines without a shell. Private to this room. */
#ifndef INGOT_COMMUNICATOR_SSH_SFTP_H
#define INGOT_COMMUNICATOR_SSH_SFTP_H

#include "communicator/ssh_comm.h"

int ssh_sftp_upload(struct ssh_comm *s, int fd, const char *remote, int mode,
		    struct err *err) MUST_USE;
int ssh_sftp_download(struct ssh_comm *s, const char *remote, int fd, struct err *err) MUST_USE;
/* A trailing slash on local: its contents. An existing remote directory gets the directory in it,
 * as with tar. */
int ssh_sftp_upload_dir(struct ssh_comm *s, const char *local, const char *remote,
			struct err *err) MUST_USE;
int ssh_sftp_download_dir(struct ssh_comm *s, const char *remote, const char *local,
			  struct err *err) MUST_USE;

#endif
