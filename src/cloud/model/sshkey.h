/* Key pairs: made, and read from what users import. */
#ifndef INGOT_CLOUD_MODEL_SSHKEY_H
#define INGOT_CLOUD_MODEL_SSHKEY_H

#include "base/base.h"
#include "base/err.h"

struct sshkey {
	char *private_pem; /* secret; NULL when imported */
	char *public_line; /* "ssh-ed25519 AAAA…", no comment */
	char *fingerprint; /* as EC2 writes it */
	const char *type;  /* "rsa" or "ed25519" */
};

/* RSA of 2048 bits as PKCS#1, Ed25519 in OpenSSH's form, as EC2 hands them out. */
int sshkey_make(const char *type, struct sshkey *ret, struct err *err) MUST_USE;
/* OpenSSH's line (RSA or Ed25519), or an RSA public key as PEM or bare base64 DER. */
int sshkey_import(const char *text, struct sshkey *ret, struct err *err) MUST_USE;
void sshkey_release(struct sshkey *k);
DEFINE_AUTO(sshkey, struct sshkey, sshkey_release);

#endif
