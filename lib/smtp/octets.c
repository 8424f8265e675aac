/* SPDX-License-Identifier: MIT */
#include "smtp/octets.h"

#include <string.h>

/*
 * 0: words, 1: SSE2, 2: AVX2 where the processor has it. The tests run what
 * other machines do.
 */
#ifndef STLS_OCTETS_LEVEL
#define STLS_OCTETS_LEVEL 2
#endif
#if defined(__SSE2__) && STLS_OCTETS_LEVEL > 0
#define HAS_SSE2 1
#include <immintrin.h>
#else
#define HAS_SSE2 0
#endif

/* CR is the last of the octets that may be special: NUL, LF and CR. */
#define SPECIAL_LAST '\r'

/* Whether an octet that was looked at need not be. */
static inline bool
is_plain(unsigned char c, bool seven)
{
	if (seven && c > 127)
		return false;
	return c != '\0' && c != '\n' && c != '\r';
}

static inline bool
is_pair(const unsigned char *p)
{
	return memcmp(p, "\r\n", 2) == 0;
}

/* How long a line ending is that may be copied: CRLF, or LF where `lf`. */
static inline size_t
line_ending(const unsigned char *in, bool lf)
{
	if (is_pair(in))
		return 2;
	return lf && *in == '\n' ? 1 : 0;
}

/* Sum up one by one. */
static void
sum_each(struct stls_octets_sum *sum, const unsigned char *in, size_t len,
    unsigned char before)
{
	unsigned char high = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		sum->bare += (in[i] == '\n') != (before == '\r');
		sum->has_nul |= in[i] == '\0';
		high |= in[i];
		before = in[i];
	}
	sum->has_8bit |= (high & 0x80) != 0;
}

/* Each octet of a word. */
#define ALL(octet) (0x0101010101010101u * (uint64_t)(octet))

/* The octet that comes first is the lowest one. */
static inline uint64_t
load_word(const unsigned char *in)
{
	uint64_t word;

	memcpy(&word, in, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap64(word);
#endif
	return word;
}

/* The top bit of each octet that is above `limit`, below 128. */
static inline uint64_t
above(uint64_t word, unsigned char limit)
{
	return (((word & ALL(0x7f)) + ALL(0x7f - limit)) | word) & ALL(0x80);
}

static inline uint32_t
copy_block_words(unsigned char *out, const unsigned char *in, bool seven)
{
	uint64_t word = load_word(in), bits = above(word, SPECIAL_LAST);

	memcpy(out, in, sizeof(word));
	bits ^= ALL(0x80);
	if (seven)
		bits |= word & ALL(0x80);
	/* The product moves the top bit of octet n to bit n of the highest. */
	return (uint32_t)(((bits >> 7) * 0x0102040810204080u) >> 56);
}

#define NAME(name) name##_words
#define TARGET
#define BLOCK sizeof(uint64_t)
#define BITS uint32_t
#define FIRST __builtin_ctz
#include "smtp/octets-loops.h"

#if HAS_SSE2

static inline uint64_t
total_sse2(__m128i v)
{
	__m128i sums = _mm_sad_epu8(v, _mm_setzero_si128());

	sums = _mm_add_epi64(sums, _mm_srli_si128(sums, 8));
	return (uint32_t)_mm_cvtsi128_si32(sums);
}

#define NAME(name) name##_sse2
#define TARGET
#define BLOCK 32
#define BITS uint32_t
#define FIRST __builtin_ctz
#define VEC __m128i
#define HALF uint16_t
#define LOAD(p) _mm_loadu_si128((const __m128i *)(const void *)(p))
#define STORE(p, v) _mm_storeu_si128((__m128i *)(void *)(p), v)
#define SET _mm_set1_epi8
#define EQUAL _mm_cmpeq_epi8
#define LESS _mm_cmplt_epi8
#define XOR _mm_xor_si128
#define OR _mm_or_si128
#define MIN _mm_min_epu8
#define ADD _mm_adds_epu8
#define SUB _mm_sub_epi8
#define TOP _mm_movemask_epi8
#define TOTAL total_sse2
#include "smtp/octets-loops.h"

__attribute__((target("avx2,bmi"))) static inline uint64_t
total_avx2(__m256i v)
{
	return total_sse2(_mm256_castsi256_si128(v)) +
	    total_sse2(_mm256_extracti128_si256(v, 1));
}

#define NAME(name) name##_avx2
#define TARGET __attribute__((target("avx2,bmi")))
#define BLOCK 64
#define BITS uint64_t
#define FIRST __builtin_ctzll
#define VEC __m256i
#define HALF uint32_t
#define LOAD(p) _mm256_loadu_si256((const __m256i *)(const void *)(p))
#define STORE(p, v) _mm256_storeu_si256((__m256i *)(void *)(p), v)
#define SET _mm256_set1_epi8
#define EQUAL _mm256_cmpeq_epi8
#define LESS(a, b) _mm256_cmpgt_epi8(b, a)
#define XOR _mm256_xor_si256
#define OR _mm256_or_si256
#define MIN _mm256_min_epu8
#define ADD _mm256_adds_epu8
#define SUB _mm256_sub_epi8
#define TOP _mm256_movemask_epi8
#define TOTAL total_avx2
#include "smtp/octets-loops.h"

static bool
has_avx2(void)
{
	return STLS_OCTETS_LEVEL > 1 && __builtin_cpu_supports("avx2") != 0 &&
	    __builtin_cpu_supports("bmi") != 0;
}

/* The large vectors first, then what is too short for them. */
static size_t
lines_best(unsigned char **out, const unsigned char *in, size_t len, bool seven,
    bool lf, int dot)
{
	bool avx2 = has_avx2();
	size_t n = 0;

	if (avx2)
		n = lines_avx2(out, in, len, seven, lf, dot);
	if (!avx2 || len - n < 2 * sizeof(__m256i) + 2)
		n += lines_sse2(out, in + n, len - n, seven, lf, dot);
	if (len - n < 2 * sizeof(__m128i) + 2)
		n += lines_words(out, in + n, len - n, seven, lf, dot);
	return n;
}

static void
sum_best(struct stls_octets_sum *sum, const unsigned char *in, size_t len)
{
	if (len >= sizeof(__m256i) && has_avx2())
		sum_avx2(sum, in, len);
	else if (len >= sizeof(__m128i))
		sum_sse2(sum, in, len);
	else
		sum_each(sum, in, len, in[-1]);
}

#else

/* The top bit of each octet that is not `octet`. */
static inline uint64_t
differs(uint64_t word, unsigned char octet)
{
	return above(word ^ ALL(octet), 0);
}

static void
sum_words(struct stls_octets_sum *sum, const unsigned char *in, size_t len)
{
	uint64_t word, bits, high = 0, nuls = 0;
	size_t i;

	for (i = 0; len - i >= sizeof(word); i += sizeof(word)) {
		word = load_word(in + i);
		high |= word;
		nuls |= ~differs(word, 0);
		bits = differs(word, '\n') ^
		    differs(load_word(in + i - 1), '\r');
		if (bits != 0)
			sum->bare += (ALL(1) * (bits >> 7)) >> 56;
	}
	sum->has_nul |= (nuls & ALL(0x80)) != 0;
	sum->has_8bit |= (high & ALL(0x80)) != 0;
	sum_each(sum, in + i, len - i, *(in + i - 1));
}

#define lines_best lines_words
#define sum_best sum_words

#endif

/* No octet is this. */
#define NO_DOT 256

size_t
stls_octets_lines(unsigned char **out, const unsigned char *in, size_t len,
    bool seven, bool lf, bool dots)
{
	return lines_best(out, in, len, seven, lf, dots ? '.' : NO_DOT);
}

void
stls_octets_sum(struct stls_octets_sum *out_sum, const unsigned char *in,
    size_t len, unsigned char before)
{
	*out_sum = (struct stls_octets_sum){ 0 };
	if (len == 0)
		return;
	/* So that there is an octet in front of each of the others. */
	sum_each(out_sum, in, 1, before);
	sum_best(out_sum, in + 1, len - 1);
}
