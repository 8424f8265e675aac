/* SPDX-License-Identifier: MIT */
/*
 * Many threads that share everything which may be shared: pools, a context, a
 * session cache. Pools are cancelled and freed while they send, clients are
 * cancelled, processes forked. What is sent and what arrives agrees in the end;
 * under ThreadSanitizer there is no race besides.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "load/parcel.h"
#include "load/scene.h"

#define LETTERS_MAX 2000000
#define THREADS_MAX 64
#define POOLS 2
#define RALLIES 64
/* A child is done at once, or it never is. */
#define CHILD_S 60

/*
 * What the runtime of ThreadSanitizer has locked for another thread is locked
 * in a child for ever, which then can free nothing.
 */
#ifdef __has_feature
#define CHILD_CAN_FREE !__has_feature(thread_sanitizer)
#else
#define CHILD_CAN_FREE 1
#endif

/* A pool, and who is in a call with it: it is freed when nobody is. */
struct shared_pool {
	pthread_mutex_t lock;
	pthread_cond_t left;
	struct smtptls_pool *pool;
	unsigned int users;
};

struct worker {
	pthread_t thread;
	struct chance chance;
	pthread_mutex_t lock;	       /* of what others cancel */
	struct smtptls_client *client; /* NULL: none */
};

static struct {
	struct scene scene;
	struct smtptls_session_cache *cache;
	pthread_mutex_t lock; /* of what is replaced */
	struct shared_pool *pools[POOLS];
	struct smtptls_context *context; /* a young one */
	pthread_barrier_t barrier;
	struct worker workers[THREADS_MAX];
	long long until_ms;
	_Atomic bool is_over;
	_Atomic unsigned int cancelled_pools, cancelled_clients, children;
	_Atomic unsigned int bad_children;
} load;

static void
must(int r, const char *what)
{
	if (r >= 0)
		return;
	fprintf(stderr, "%s: %s\n", what, smtptls_strerror(r));
	exit(EXIT_FAILURE);
}

/* --- pools --- */

static void
set_limits(struct smtptls_client *client)
{
	int phase;

	for (phase = 0; phase <= SMTPTLS_PHASE_QUIT; phase++)
		(void)smtptls_client_set_timeout_ms(
		    client, phase, load.scene.options.patience_ms);
}

static void
connect_to(struct smtptls_client *client, bool has_tls, bool resolves)
{
	const struct server *server = &load.scene.server;
	char place[64];

	snprintf(place, sizeof(place), "%s:%u",
	    resolves ? "localhost" : "127.0.0.1",
	    has_tls ? server->tls_port : server->starttls_port);
	(void)smtptls_client_set_connect_to(client, place);
}

static int
set_up(struct smtptls_client *client, void *arg)
{
	set_limits(client);
	connect_to(client, arg != NULL, false);
	return SMTPTLS_OK;
}

/* The first speaks implicit TLS, the second STARTTLS. */
static struct shared_pool *
new_pool(unsigned int which)
{
	struct shared_pool *shared = calloc(1, sizeof(*shared));
	int patience_ms = load.scene.options.patience_ms;

	if (shared == NULL)
		abort();
	pthread_mutex_init(&shared->lock, NULL);
	pthread_cond_init(&shared->left, NULL);
	must(smtptls_pool_new(
		 which == 0 ? "smtps://" LOAD_HOST : "smtp://" LOAD_HOST,
		 load.scene.context, &shared->pool),
	    "pool");
	must(smtptls_pool_set_setup(
		 shared->pool, set_up, which == 0 ? shared : NULL),
	    "setup");
	must(smtptls_pool_set_connections_max(shared->pool, 5), "connections");
	must(smtptls_pool_set_messages_max(shared->pool, 9), "messages");
	must(smtptls_pool_set_idle_ms(shared->pool, 50), "idle");
	must(smtptls_pool_set_age_ms(shared->pool, 400), "age");
	must(smtptls_pool_set_wait_ms(shared->pool, 2 * patience_ms), "wait");
	must(smtptls_pool_set_deadline_ms(shared->pool, 4 * patience_ms),
	    "deadline");
	return shared;
}

static struct shared_pool *
enter_pool(unsigned int which)
{
	struct shared_pool *shared;

	pthread_mutex_lock(&load.lock);
	shared = load.pools[which];
	pthread_mutex_lock(&shared->lock);
	shared->users++;
	pthread_mutex_unlock(&shared->lock);
	pthread_mutex_unlock(&load.lock);
	return shared;
}

static void
leave_pool(struct shared_pool *shared)
{
	pthread_mutex_lock(&shared->lock);
	if (--shared->users == 0)
		pthread_cond_signal(&shared->left);
	pthread_mutex_unlock(&shared->lock);
}

static void
free_pool(struct shared_pool *shared)
{
	pthread_mutex_lock(&shared->lock);
	while (shared->users > 0)
		pthread_cond_wait(&shared->left, &shared->lock);
	pthread_mutex_unlock(&shared->lock);
	smtptls_pool_free(shared->pool);
	pthread_cond_destroy(&shared->left);
	pthread_mutex_destroy(&shared->lock);
	free(shared);
}

static void
replace_pool(unsigned int which, bool cancels)
{
	struct shared_pool *young = new_pool(which), *old;

	pthread_mutex_lock(&load.lock);
	old = load.pools[which];
	load.pools[which] = young;
	pthread_mutex_unlock(&load.lock);
	if (cancels && !load.scene.options.is_calm) {
		smtptls_pool_cancel(old->pool);
		atomic_fetch_add(&load.cancelled_pools, 1);
	}
	free_pool(old);
}

/* --- what a thread does --- */

static struct parcel *
next_parcel(void)
{
	return parcel_new(load.scene.books, false, !load.scene.options.is_calm);
}

static void
send_by_pool(struct worker *worker)
{
	struct parcel *parcel = next_parcel();
	struct shared_pool *shared;

	if (parcel == NULL)
		return;
	do {
		shared = enter_pool(chance_below(&worker->chance, POOLS));
		parcel->attempts++;
		parcel->given = 0;
		(void)smtptls_pool_send(shared->pool, parcel->message);
		leave_pool(shared);
	} while (parcel_is_open(parcel));
	parcel_settle(parcel);
}

static void
tidy(struct worker *worker)
{
	struct shared_pool *shared = enter_pool(
	    chance_below(&worker->chance, POOLS));

	(void)smtptls_pool_tidy(shared->pool);
	leave_pool(shared);
}

static struct smtptls_context *
young_context(void)
{
	struct smtptls_context *context;

	pthread_mutex_lock(&load.lock);
	context = smtptls_context_ref(load.context);
	pthread_mutex_unlock(&load.lock);
	return context;
}

/* Nobody has used it yet: whoever comes first shares what is done lazily. */
static void
replace_context(void)
{
	struct smtptls_context *context = scene_context(&load.scene), *old;

	pthread_mutex_lock(&load.lock);
	old = load.context;
	load.context = context;
	pthread_mutex_unlock(&load.lock);
	smtptls_context_free(old);
}

/* Another thread may cancel what is shown. */
static void
show_client(struct worker *worker, struct smtptls_client *client)
{
	pthread_mutex_lock(&worker->lock);
	worker->client = client;
	pthread_mutex_unlock(&worker->lock);
}

static struct smtptls_client *
new_client(struct worker *worker)
{
	bool has_tls = chance_one_in(&worker->chance, 2);
	struct smtptls_context *context = young_context();
	struct smtptls_client *client = NULL;

	must(smtptls_client_new(
		 has_tls ? "smtps://" LOAD_HOST : "smtp://" LOAD_HOST, context,
		 &client),
	    "client");
	smtptls_context_free(context);
	set_limits(client);
	connect_to(client, has_tls, chance_one_in(&worker->chance, 2));
	(void)smtptls_client_set_pipelining(
	    client, chance_below(&worker->chance, 4));
	(void)smtptls_client_set_session_cache(client, load.cache);
	return client;
}

static void
send_by_client(struct worker *worker)
{
	struct smtptls_client *client = new_client(worker);
	unsigned int count = 1 + chance_below(&worker->chance, 3);
	struct parcel *parcel;

	show_client(worker, client);
	while (count-- > 0 && (parcel = next_parcel()) != NULL) {
		parcel->attempts++;
		(void)smtptls_client_send(client, parcel->message);
		parcel_settle(parcel);
	}
	if (chance_one_in(&worker->chance, 2))
		(void)smtptls_client_quit(client);
	show_client(worker, NULL);
	smtptls_client_free(client);
}

/* A name that is being resolved, or TLS that is being begun. */
static void
abandon_client(struct worker *worker)
{
	struct smtptls_client *client = new_client(worker);
	unsigned int drives = chance_below(&worker->chance, 4);

	(void)smtptls_client_start(client);
	while (drives-- > 0 && smtptls_client_drive(client) == SMTPTLS_AGAIN) {
		struct pollfd pfds[8];
		size_t count = smtptls_client_pollfds(client, pfds, 8);

		(void)poll(pfds, (nfds_t)count, 10);
	}
	smtptls_client_free(client);
}

static void
cancel_somebody(struct worker *worker)
{
	struct worker *other = &load.workers[chance_below(
	    &worker->chance, load.scene.options.connections)];

	pthread_mutex_lock(&other->lock);
	if (other->client != NULL && !load.scene.options.is_calm) {
		smtptls_client_cancel(other->client);
		atomic_fetch_add(&load.cancelled_clients, 1);
	}
	pthread_mutex_unlock(&other->lock);
}

/* What the child has of its parent it cannot use, and may free. */
static void
be_child(struct smtptls_pool *pool, struct smtptls_message *message)
{
	int r;

	if (!CHILD_CAN_FREE)
		_exit(EXIT_SUCCESS);
	alarm(CHILD_S);
	r = smtptls_pool_send(pool, message);
	smtptls_pool_cancel(pool);
	smtptls_message_free(message);
	smtptls_pool_free(pool);
	_exit(r == SMTPTLS_E_FORKED ? EXIT_SUCCESS : EXIT_FAILURE);
}

static void
fork_child(struct worker *worker)
{
	struct shared_pool *shared = enter_pool(
	    chance_below(&worker->chance, POOLS));
	static const char text[] = "Subject: from a child\r\n\r\n";
	struct smtptls_message *message = NULL;
	int status = 0;
	pid_t pid;

	must(smtptls_message_new(&message), "message");
	(void)smtptls_message_set_sender(message, "child@example.org");
	(void)smtptls_message_add_recipient(message, "child@example.org");
	(void)smtptls_message_set_body_mem(message, text, sizeof(text) - 1);
	pid = fork();
	if (pid == 0)
		be_child(shared->pool, message);
	leave_pool(shared);
	smtptls_message_free(message);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		atomic_fetch_add(&load.bad_children, 1);
	atomic_fetch_add(&load.children, 1);
}

static void
do_something(struct worker *worker)
{
	switch (chance_below(&worker->chance, 24)) {
	case 0:
		fork_child(worker);
		break;
	case 1:
		abandon_client(worker);
		break;
	case 2:
		cancel_somebody(worker);
		break;
	case 3:
		tidy(worker);
		break;
	case 4:
		replace_context();
		break;
	case 5:
	case 6:
	case 7:
	case 8:
		send_by_client(worker);
		break;
	default:
		send_by_pool(worker);
		break;
	}
}

static bool
goes_on(unsigned int done)
{
	if (load.scene.options.seconds > 0)
		return scene_now_ms() < load.until_ms;
	return done < load.scene.options.lives;
}

static void *
work(void *arg)
{
	struct worker *worker = arg;
	unsigned int done;

	for (done = 0; goes_on(done); done++)
		do_something(worker);
	return NULL;
}

/*
 * All at once, with a context that nobody has used: who comes first does what
 * is done lazily, and the others must not see half of it. Most of the rallies
 * get no further than that.
 */
static void *
rally(void *arg)
{
	struct worker *worker = arg;
	unsigned int i;

	for (i = 0; i < RALLIES; i++) {
		if (pthread_barrier_wait(&load.barrier) ==
		    PTHREAD_BARRIER_SERIAL_THREAD)
			replace_context();
		(void)pthread_barrier_wait(&load.barrier);
		if (i % 16 == 0)
			send_by_client(worker);
		else
			smtptls_client_free(new_client(worker));
	}
	return NULL;
}

/* Now one, now the other; every second one is cancelled. */
static void *
replace_pools(void *arg)
{
	unsigned int round;

	(void)arg;
	for (round = 0; !atomic_load(&load.is_over); round++) {
		(void)poll(NULL, 0, 200);
		replace_pool(round % POOLS, round / POOLS % 2 == 0);
	}
	return NULL;
}

/* --- all of them --- */

static void
start(pthread_t *thread, void *(*fn)(void *), void *arg)
{
	if (pthread_create(thread, NULL, fn, arg) != 0) {
		perror("pthread_create");
		exit(EXIT_FAILURE);
	}
}

static void
set_up_workers(void)
{
	struct worker *worker;
	unsigned int i;

	for (i = 0; i < load.scene.options.connections; i++) {
		worker = &load.workers[i];
		worker->chance = chance_of(load.scene.options.seed, 'w', i);
		pthread_mutex_init(&worker->lock, NULL);
	}
}

/* All of them do this, until the last one has done it. */
static void
run_workers(void *(*fn)(void *))
{
	unsigned int i;

	for (i = 0; i < load.scene.options.connections; i++)
		start(&load.workers[i].thread, fn, &load.workers[i]);
	for (i = 0; i < load.scene.options.connections; i++)
		pthread_join(load.workers[i].thread, NULL);
}

static void
run_rallies(void)
{
	pthread_barrier_init(
	    &load.barrier, NULL, load.scene.options.connections);
	run_workers(rally);
	pthread_barrier_destroy(&load.barrier);
}

static void
run(void)
{
	pthread_t replacer;
	unsigned int i;

	set_up_workers();
	run_rallies();
	load.until_ms = scene_now_ms() + load.scene.options.seconds * 1000LL;
	start(&replacer, replace_pools, NULL);
	run_workers(work);
	atomic_store(&load.is_over, true);
	pthread_join(replacer, NULL);
	for (i = 0; i < load.scene.options.connections; i++)
		pthread_mutex_destroy(&load.workers[i].lock);
}

/* What must not be done, so that whoever looks for races has one to find. */
static void *
set_size(void *arg)
{
	(void)smtptls_message_set_size(arg, 1000);
	return NULL;
}

static void
race(void)
{
	struct smtptls_message *message = NULL;
	pthread_t threads[2];
	int i;

	must(smtptls_message_new(&message), "message");
	for (i = 0; i < 2; i++)
		start(&threads[i], set_size, message);
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	smtptls_message_free(message);
}

int
main(int argc, char **argv)
{
	struct scene_options options = {
		.connections = 16, .rounds = 1, .lives = 20, .patience_ms = 1000
	};
	unsigned int i;

	scene_parse(argc, argv, &options);
	if (options.connections > THREADS_MAX)
		options.connections = THREADS_MAX;
	scene_begin(&load.scene, &options, LETTERS_MAX);
	pthread_mutex_init(&load.lock, NULL);
	must(smtptls_session_cache_new(0, &load.cache), "session cache");
	load.context = scene_context(&load.scene);
	for (i = 0; i < POOLS; i++)
		load.pools[i] = new_pool(i);
	if (options.races)
		race();
	run();
	for (i = 0; i < POOLS; i++)
		free_pool(load.pools[i]);
	smtptls_context_free(load.context);
	smtptls_session_cache_free(load.cache);
	pthread_mutex_destroy(&load.lock);
	printf("%u threads, %u pools cancelled, %u clients cancelled, %u "
	       "children\n",
	    options.connections, atomic_load(&load.cancelled_pools),
	    atomic_load(&load.cancelled_clients), atomic_load(&load.children));
	scene_check(&load.scene, atomic_load(&load.bad_children) == 0,
	    "no child could use the pool of its parent");
	return scene_end(&load.scene);
}
