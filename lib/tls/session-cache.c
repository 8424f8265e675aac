/* SPDX-License-Identifier: MIT */
#include "tls/session-cache.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fork.h"
#include "base/secret.h"
#include "tls/resumption.h"
#include "tls/session.h"

#define SESSIONS_DEFAULT 256
#define SESSIONS_MAX 4096

struct entry {
	unsigned char key[STLS_SESSION_KEY_LEN];
	struct smtptls_resumption *resumption;
};

/* In order of age, which is that of their end but for a certificate's. */
struct smtptls_session_cache {
	stls_fork_id made_in;
	atomic_uint holders;
	pthread_mutex_t lock;
	size_t max;
	size_t count;
	struct entry entries[];
};

int
smtptls_session_cache_new(
    size_t sessions_max, struct smtptls_session_cache **out_cache)
{
	size_t max = sessions_max > 0 ? sessions_max : SESSIONS_DEFAULT;
	struct smtptls_session_cache *cache;

	if (out_cache == NULL)
		return SMTPTLS_E_INVALID;
	*out_cache = NULL;
	if (sessions_max > SESSIONS_MAX)
		return SMTPTLS_E_INVALID;
	cache = stls_alloc_zero(sizeof(*cache) + max * sizeof(struct entry));
	if (cache == NULL)
		return SMTPTLS_E_NOMEM;
	if (pthread_mutex_init(&cache->lock, NULL) != 0) {
		free(cache);
		return SMTPTLS_E_NOMEM;
	}
	cache->made_in = stls_fork_current();
	atomic_init(&cache->holders, 1);
	cache->max = max;
	*out_cache = cache;
	return SMTPTLS_OK;
}

struct smtptls_session_cache *
smtptls_session_cache_ref(struct smtptls_session_cache *cache)
{
	if (cache != NULL)
		atomic_fetch_add(&cache->holders, 1);
	return cache;
}

/* Take one out. */
static struct smtptls_resumption *
take_at(struct smtptls_session_cache *cache, size_t index)
{
	struct entry *entry = &cache->entries[index];
	struct smtptls_resumption *resumption = entry->resumption;

	cache->count--;
	memmove(entry, entry + 1, (cache->count - index) * sizeof(*entry));
	return resumption;
}

void
smtptls_session_cache_free(struct smtptls_session_cache *cache)
{
	if (cache == NULL || atomic_fetch_sub(&cache->holders, 1) > 1)
		return;
	/*
	 * In a child another thread of the parent may have had the lock, and
	 * then nobody knows what the entries look like.
	 */
	if (stls_fork_happened(cache->made_in) &&
	    pthread_mutex_trylock(&cache->lock) != 0)
		return;
	while (cache->count > 0)
		smtptls_resumption_free(take_at(cache, cache->count - 1));
	if (!stls_fork_happened(cache->made_in))
		pthread_mutex_destroy(&cache->lock);
	free(cache);
}

/* The newest for a key: it lasts longest. */
static struct smtptls_resumption *
take(struct smtptls_session_cache *cache,
    const unsigned char key[STLS_SESSION_KEY_LEN])
{
	size_t i;

	for (i = cache->count; i > 0; i--) {
		if (memcmp(cache->entries[i - 1].key, key,
			STLS_SESSION_KEY_LEN) == 0)
			return take_at(cache, i - 1);
	}
	return NULL;
}

void
stls_session_cache_resume(struct smtptls_session_cache *cache,
    const unsigned char key[STLS_SESSION_KEY_LEN],
    struct smtptls_session *session)
{
	struct smtptls_resumption *resumption;

	if (stls_fork_happened(cache->made_in))
		return;
	pthread_mutex_lock(&cache->lock);
	resumption = take(cache, key);
	pthread_mutex_unlock(&cache->lock);
	if (resumption == NULL)
		return;
	/* What it does not want is none of the caller's business. */
	if (smtptls_session_resume(session, resumption) < 0)
		stls_err_clear(&session->err);
	smtptls_resumption_free(resumption);
}

/* The oldest, if it is over or there is no room for another one. */
static struct smtptls_resumption *
take_oldest(struct smtptls_session_cache *cache, time_t now)
{
	if (cache->count == 0)
		return NULL;
	if (cache->count == cache->max ||
	    stls_resumption_is_over(cache->entries[0].resumption, now))
		return take_at(cache, 0);
	return NULL;
}

static void
put(struct smtptls_session_cache *cache,
    const unsigned char key[STLS_SESSION_KEY_LEN],
    struct smtptls_resumption *resumption)
{
	struct smtptls_resumption *old;
	time_t now = time(NULL);
	struct entry *entry;

	pthread_mutex_lock(&cache->lock);
	while ((old = take_oldest(cache, now)) != NULL)
		smtptls_resumption_free(old);
	entry = &cache->entries[cache->count++];
	memcpy(entry->key, key, STLS_SESSION_KEY_LEN);
	entry->resumption = resumption;
	pthread_mutex_unlock(&cache->lock);
}

bool
stls_session_cache_save(struct smtptls_session_cache *cache,
    const unsigned char key[STLS_SESSION_KEY_LEN],
    struct smtptls_session *session)
{
	struct smtptls_resumption *resumption = NULL;

	if (stls_fork_happened(cache->made_in))
		return true;
	if (!smtptls_session_is_verified(session) ||
	    !stls_session_can_be_saved(session))
		return false;
	if (smtptls_session_save(session, &resumption) < 0)
		stls_err_clear(&session->err);
	else
		put(cache, key, resumption);
	return true;
}

size_t
stls_session_cache_count(struct smtptls_session_cache *cache)
{
	size_t count;

	pthread_mutex_lock(&cache->lock);
	count = cache->count;
	pthread_mutex_unlock(&cache->lock);
	return count;
}
