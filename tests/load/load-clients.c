/* SPDX-License-Identifier: MIT */
/*
 * Many connections in one thread, to a server in which everything goes wrong:
 * what the clients say and what the server has agree in the end.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "load/memory.h"
#include "load/parcel.h"
#include "load/scene.h"

#define LETTERS_MAX 4000000
#define EVENTS_MAX 256
#define FDS_MAX 8192
/* How many messages a connection has at once. */
#define PARCELS_MAX 4

struct slot {
	struct smtptls_client *client; /* NULL: it has come to its end */
	struct parcel *parcels[PARCELS_MAX];
	size_t parcels_count;
	struct chance chance;
	unsigned int drives_left; /* until it loses patience; 0: never */
	unsigned int lives;	  /* clients it had in this round */
	bool says_bye;
	bool is_paused; /* goes on without an event */
	long long due_ms;
};

static struct {
	struct scene scene;
	struct smtptls_session_cache *cache;
	struct slot *slots;
	size_t open;
	struct parcel *again; /* to be tried again */
	int epoll;
	struct slot *watchers[FDS_MAX]; /* of each descriptor */
	long long until_ms;
} load;

/* --- a client and its messages --- */

static void
watch(struct smtptls_client *client, int fd, short events, void *arg)
{
	struct epoll_event event = { .data.fd = fd };
	int op = load.watchers[fd] == NULL ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;

	(void)client;
	if (events & POLLIN)
		event.events |= EPOLLIN;
	if (events & POLLOUT)
		event.events |= EPOLLOUT;
	if (events == 0)
		op = EPOLL_CTL_DEL;
	if (epoll_ctl(load.epoll, op, fd, &event) < 0) {
		perror("epoll_ctl");
		exit(EXIT_FAILURE);
	}
	load.watchers[fd] = events != 0 ? arg : NULL;
}

static struct smtptls_client *
new_client(struct slot *slot)
{
	static const char *const urls[] = { "smtps://" LOAD_HOST,
		"smtp://" LOAD_HOST, "lmtp://" LOAD_HOST ":24" };
	const struct server *server = &load.scene.server;
	const char *url = urls[chance_below(&slot->chance, 3)];
	bool resolves = chance_one_in(&slot->chance, 8);
	struct smtptls_client *client = NULL;
	char place[64];
	int phase;

	if (smtptls_client_new(url, load.scene.context, &client) < 0)
		abort();
	snprintf(place, sizeof(place), "%s:%u",
	    resolves ? "localhost" : "127.0.0.1",
	    url == urls[0] ? server->tls_port : server->starttls_port);
	(void)smtptls_client_set_connect_to(client, place);
	(void)smtptls_client_set_pipelining(
	    client, chance_below(&slot->chance, 4));
	(void)smtptls_client_set_session_cache(client, load.cache);
	for (phase = 0; phase <= SMTPTLS_PHASE_QUIT; phase++)
		(void)smtptls_client_set_timeout_ms(
		    client, phase, load.scene.options.patience_ms);
	(void)smtptls_client_set_deadline_ms(
	    client, 4 * load.scene.options.patience_ms);
	(void)smtptls_client_set_socket_cb(client, watch, slot);
	return client;
}

static struct parcel *
next_parcel(void)
{
	struct parcel *parcel = load.again;

	if (parcel == NULL)
		return parcel_new(
		    load.scene.books, true, !load.scene.options.is_calm);
	load.again = parcel->next;
	return parcel;
}

/* It came back, or was not even taken. */
static void
take_back(struct parcel *parcel)
{
	parcel->paused = NULL;
	if (parcel_is_open(parcel)) {
		parcel->next = load.again;
		load.again = parcel;
	} else {
		parcel_settle(parcel);
	}
}

static void
submit_some(struct slot *slot, size_t count)
{
	struct parcel *parcel;

	while (count-- > 0 && slot->parcels_count < PARCELS_MAX &&
	    (parcel = next_parcel()) != NULL) {
		parcel->attempts++;
		parcel->given = 0;
		parcel->paused = &slot->is_paused;
		if (smtptls_client_submit(slot->client, parcel->message) < 0)
			take_back(parcel);
		else
			slot->parcels[slot->parcels_count++] = parcel;
	}
}

static void
take_all_back(struct slot *slot)
{
	while (slot->parcels_count > 0)
		take_back(slot->parcels[--slot->parcels_count]);
}

static void
say_bye(struct slot *slot)
{
	slot->says_bye = true;
	slot->is_paused = true;
	(void)smtptls_client_start_quit(slot->client);
}

static bool
may_begin(const struct slot *slot)
{
	if (load.scene.options.seconds > 0)
		return scene_now_ms() < load.until_ms;
	return slot->lives < load.scene.options.lives;
}

static void
begin(struct slot *slot)
{
	slot->lives++;
	slot->says_bye = false;
	slot->is_paused = true;
	slot->drives_left = 0;
	if (!load.scene.options.is_calm && chance_one_in(&slot->chance, 12))
		slot->drives_left = 1 + chance_scale(&slot->chance, 8);
	slot->client = new_client(slot);
	load.open++;
	if (smtptls_client_start(slot->client) < 0)
		abort();
	submit_some(slot, 1 + chance_below(&slot->chance, PARCELS_MAX));
	if (chance_one_in(&slot->chance, 2))
		say_bye(slot);
}

static void
end(struct slot *slot)
{
	smtptls_client_free(slot->client);
	slot->client = NULL;
	load.open--;
	take_all_back(slot);
	if (may_begin(slot))
		begin(slot);
}

/* Nothing is left to do for a connection that works. */
static void
continue_idle(struct slot *slot)
{
	take_all_back(slot);
	switch (chance_below(&slot->chance, 4)) {
	case 0:
		end(slot);
		break;
	case 1:
		submit_some(slot, 2);
		slot->is_paused = true;
		break;
	default:
		say_bye(slot);
		break;
	}
}

static void
drive(struct slot *slot)
{
	struct smtptls_message *message;
	int r;

	slot->is_paused = false;
	if (slot->drives_left > 0 && --slot->drives_left == 0) {
		if (chance_one_in(&slot->chance, 2)) {
			end(slot);
			return;
		}
		smtptls_client_cancel(slot->client);
	}
	r = smtptls_client_drive(slot->client);
	while ((message = smtptls_client_next_done(slot->client)) != NULL)
		smtptls_message_free(message);
	if (r == SMTPTLS_OK && !slot->says_bye) {
		continue_idle(slot);
	} else if (r != SMTPTLS_AGAIN) {
		end(slot);
	} else {
		r = smtptls_client_timeout_ms(slot->client);
		slot->due_ms = scene_now_ms() + (r < 0 ? 3600000 : r);
	}
}

/* --- all of them --- */

static int
time_left(void)
{
	long long now = scene_now_ms(), first = now + 1000;
	const struct slot *slot;
	size_t i;

	for (i = 0; i < load.scene.options.connections; i++) {
		slot = &load.slots[i];
		if (slot->client == NULL)
			continue;
		if (slot->is_paused)
			return 0;
		if (slot->due_ms < first)
			first = slot->due_ms;
	}
	return first > now ? (int)(first - now) : 0;
}

static void
drive_due(void)
{
	long long now = scene_now_ms();
	struct slot *slot;
	size_t i;

	for (i = 0; i < load.scene.options.connections; i++) {
		slot = &load.slots[i];
		if (slot->client != NULL &&
		    (slot->is_paused || slot->due_ms <= now))
			drive(slot);
	}
}

static void
drive_ready(void)
{
	struct epoll_event events[EVENTS_MAX];
	struct slot *slot;
	int count, i;

	count = epoll_wait(load.epoll, events, EVENTS_MAX, time_left());
	if (count < 0 && errno != EINTR) {
		perror("epoll_wait");
		exit(EXIT_FAILURE);
	}
	for (i = 0; i < count; i++) {
		/* Another one may have closed it just now. */
		slot = load.watchers[events[i].data.fd];
		if (slot != NULL)
			drive(slot);
	}
}

static void
run_round(unsigned int round)
{
	unsigned int i;

	load.until_ms = scene_now_ms() + load.scene.options.seconds * 1000LL;
	for (i = 0; i < load.scene.options.connections; i++) {
		load.slots[i] = (struct slot){ .chance = chance_of(
						   load.scene.options.seed, 's',
						   round * 100000u + i) };
		begin(&load.slots[i]);
	}
	while (load.open > 0) {
		drive_ready();
		drive_due();
	}
	while (load.again != NULL) {
		struct parcel *parcel = load.again;

		load.again = parcel->next;
		parcel_settle(parcel);
	}
}

static void
run_rounds(void)
{
	struct memory_log memory = { 0 };
	unsigned int round;

	for (round = 0; round < load.scene.options.rounds; round++) {
		run_round(round);
		memory_note(&memory);
		scene_check_fds(&load.scene);
		printf(
		    "round %u: %u messages, %ld KB in use, %ld KB resident\n",
		    round + 1, atomic_load(&load.scene.books->letters_count),
		    memory.used_kb, memory.resident_kb);
	}
	if (round > 2)
		memory_check(&memory, &load.scene);
}

int
main(int argc, char **argv)
{
	struct scene_options options = {
		.connections = 20, .rounds = 1, .lives = 2, .patience_ms = 1500
	};

	scene_parse(argc, argv, &options);
	load.epoll = epoll_create1(EPOLL_CLOEXEC);
	scene_begin(&load.scene, &options, LETTERS_MAX);
	load.slots = calloc(options.connections, sizeof(*load.slots));
	if (load.epoll < 0 || load.slots == NULL ||
	    smtptls_session_cache_new(0, &load.cache) < 0)
		abort();
	run_rounds();
	smtptls_session_cache_free(load.cache);
	free(load.slots);
	return scene_end(&load.scene);
}
