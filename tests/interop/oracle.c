/* SPDX-License-Identifier: MIT */
/*
 * Send files by libcurl, one connection for all: what arrives from here is
 * what has to arrive from the library. libcurl leaves a lone LF as it is, so
 * only canonical content, with CRLF, can be compared.
 *
 * usage: oracle URL CAFILE USER PASSWORD FROM TO FILE...    ("" is none)
 */
#include <stdio.h>
#include <stdlib.h>

#include <curl/curl.h>

static CURLcode
setup(CURL *curl, char *argv[], struct curl_slist *to)
{
	curl_easy_setopt(curl, CURLOPT_URL, argv[1]);
	curl_easy_setopt(curl, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL);
	curl_easy_setopt(curl, CURLOPT_CAINFO, argv[2]);
	curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	if (argv[3][0] != '\0') {
		curl_easy_setopt(curl, CURLOPT_USERNAME, argv[3]);
		curl_easy_setopt(curl, CURLOPT_PASSWORD, argv[4]);
	}
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, 60L);
	curl_easy_setopt(curl, CURLOPT_MAIL_FROM, argv[5]);
	curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to);
	/* The callback of the default is fread(3). */
	return curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
}

static CURLcode
send_file(CURL *curl, const char *path)
{
	CURLcode result;
	FILE *file = fopen(path, "rb");

	if (file == NULL)
		return CURLE_READ_ERROR;
	curl_easy_setopt(curl, CURLOPT_READDATA, file);
	result = curl_easy_perform(curl);
	fclose(file);
	return result;
}

int
main(int argc, char *argv[])
{
	struct curl_slist *to;
	CURLcode result;
	CURL *curl;
	int i;

	if (argc < 8)
		return 64;
	curl_global_init(CURL_GLOBAL_DEFAULT);
	curl = curl_easy_init();
	to = curl_slist_append(NULL, argv[6]);
	if (curl == NULL || to == NULL)
		return 71;
	result = setup(curl, argv, to);
	for (i = 7; i < argc && result == CURLE_OK; i++)
		result = send_file(curl, argv[i]);
	printf("%s\n", curl_easy_strerror(result));
	curl_slist_free_all(to);
	curl_easy_cleanup(curl);
	curl_global_cleanup();
	return result == CURLE_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
