/* SPDX-License-Identifier: MIT */
#include <smtptls/smtptls.h>

const char *
smtptls_version(void)
{
	return SMTPTLS_VERSION;
}
