/* SPDX-License-Identifier: MIT */
/* Write the cases of the strict profile into files, for another judge. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "peer.h"
#include "strict.h"
#include "tls/rules.h"

/* Where many systems have CAs. */
#define SYSTEM_FILE "/etc/ssl/certs/ca-certificates.crt"

static const char *folder;

static void
write_text(const char *name, const char *suffix, const char *text)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.%s", folder, name, suffix);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

/* name.ca, name.pem (the chain), name.key; and a line on standard output. */
static void
write_scene(
    const struct scene *scene, const char *name, bool is_good, bool is_extra)
{
	struct factory *factory = scene->factory;

	write_text(name, "ca", factory_pem(factory, scene->anchor, NULL, NULL));
	write_text(name, "pem",
	    factory_pem(
		factory, scene->chain[0], scene->chain[1], scene->chain[2]));
	write_text(name, "key", factory_key_pem(factory, scene->chain[0]));
	printf("%s %s %d %d\n", name, scene->host, is_good, is_extra);
}

static void
write_case(const struct strict_case *one, bool good)
{
	struct scene *scene = strict_scene_new(one, good);
	char name[128];

	snprintf(name, sizeof(name), "%s-%s", one->name, good ? "good" : "bad");
	write_scene(scene, name, good || (one->flags & STRICT_FINE) != 0,
	    (one->flags & STRICT_EXTRA) != 0);
	strict_scene_free(scene);
}

/*
 * The roots of the system as they are, but with a key of ours, so that each can
 * have issued something: no rule may refuse one that Python takes.
 */
static void
write_root(size_t index, const gnutls_datum_t *der)
{
	struct factory *factory = factory_new();
	struct scene scene = { .factory = factory, .host = STRICT_HOST };
	struct stls_verify verify = { .purpose = SMTPTLS_SERVER_AUTH };
	struct stls_path path = { .count = 2 };
	struct stls_err err;
	unsigned char id[64];
	size_t len = sizeof(id), i, used;
	char name[64], raw[256];

	scene.anchor = factory_clone(factory, der);
	ck_assert_ptr_nonnull(scene.anchor->crt);
	if (gnutls_x509_crt_get_subject_key_id(
		scene.anchor->crt, id, &len, NULL) < 0)
		len = 1;
	used = (size_t)snprintf(
	    raw, sizeof(raw), "2.5.29.35=30%02zx80%02zx", len + 2, len);
	for (i = 0; i < len; i++)
		used += (size_t)snprintf(
		    raw + used, sizeof(raw) - used, "%02x", id[i]);
	strict_serve(
	    &scene, STRICT_LEAF(&scene, scene.anchor, .raw = raw), NULL);
	path.cert[0] = scene.chain[0]->crt;
	path.cert[1] = scene.anchor->crt;
	snprintf(name, sizeof(name), "root_of_the_system_%zu", index);
	write_scene(&scene, name,
	    stls_rules_check(&err, &verify, &path) == SMTPTLS_OK, false);
	factory_free(factory);
}

START_TEST(write_roots)
{
	gnutls_x509_crt_t *root = NULL;
	gnutls_datum_t file = { NULL, 0 }, der = { NULL, 0 };
	unsigned int count = 0, i;

	if (gnutls_load_file(SYSTEM_FILE, &file) < 0)
		return;
	ck_assert_int_ge(gnutls_x509_crt_list_import2(
			     &root, &count, &file, GNUTLS_X509_FMT_PEM, 0),
	    0);
	for (i = 0; i < count; i++) {
		ck_assert_int_ge(
		    gnutls_x509_crt_export2(root[i], GNUTLS_X509_FMT_DER, &der),
		    0);
		write_root(i, &der);
		gnutls_free(der.data);
		gnutls_x509_crt_deinit(root[i]);
	}
	gnutls_free(root);
	gnutls_free(file.data);
}
END_TEST

/* What this library says of a server, in a handshake. */
static bool
is_accepted(const struct scene *scene)
{
	struct smtptls_context *context = peer_client_context(
	    scene->factory, scene->anchor);
	struct peer *peer = PEER(.chain = { scene->chain[0], scene->chain[1],
				     scene->chain[2] },
	    .any_cert = true);
	struct smtptls_session *session = peer_session(
	    peer, context, scene->host);
	int r = peer_handshake(peer, session);

	ck_assert(r == SMTPTLS_OK || r == SMTPTLS_E_CERTIFICATE);
	smtptls_session_free(session);
	peer_free(peer);
	smtptls_context_free(context);
	return r == SMTPTLS_OK;
}

/* How many are drawn; a lot in which all are alike would say nothing. */
static unsigned int
lot_count(void)
{
	if (getenv("STLS_TEST_FULL") != NULL)
		return 2000;
	return getenv("STLS_TEST_QUICK") != NULL ? 40 : 200;
}

START_TEST(write_lot)
{
	unsigned int count = lot_count(), good = 0, i;
	struct scene *scene;
	char name[64];
	bool is_good;

	for (i = 0; i < count; i++) {
		scene = strict_lot_new(i);
		is_good = is_accepted(scene);
		good += is_good;
		snprintf(name, sizeof(name), "lot_%u", i);
		write_scene(scene, name, is_good, false);
		strict_scene_free(scene);
	}
	ck_assert_uint_gt(good, count / 5);
	ck_assert_uint_lt(good, count - count / 5);
}
END_TEST

/* Check takes its assertions from a test only. */
START_TEST(write_all)
{
	size_t i;

	for (i = 0; i < strict_case_count(); i++) {
		write_case(strict_case_at(i), true);
		write_case(strict_case_at(i), false);
	}
}
END_TEST

int
main(int argc, char **argv)
{
	Suite *suite = suite_create("strict-write");
	TCase *tc = tcase_create("strict-write");
	SRunner *runner;
	int failed;

	if (argc != 2)
		return 2;
	folder = argv[1];
	tcase_add_test(tc, write_all);
	tcase_add_test(tc, write_roots);
	tcase_add_test(tc, write_lot);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
