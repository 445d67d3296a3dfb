// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any frame has the key that the oracle reads, and nothing outside the frame is read: it is
 * tried at the end of mapped memory, then at the beginning.
 */
#include "fuzz.h"
#include "oracle.h"

#define PAGES (16 * 4096)

__u64 native_key(unsigned long start, unsigned long end);

static __u8 *make_pages(void)
{
	__u8 *pages = mmap(NULL, PAGES + 2 * 4096, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	if (pages == MAP_FAILED || mprotect(pages + 4096, PAGES, PROT_READ | PROT_WRITE))
		abort();
	return pages + 4096;
}

static void check_at(__u8 *at, const uint8_t *data, size_t size)
{
	__u64 wanted, got;

	memcpy(at, data, size);
	wanted = read_frame(data, size).key;
	got = native_key((unsigned long)at, (unsigned long)at + size);
	if (wanted == got)
		return;
	fprintf(stderr, "the key is %llu, not %llu\n", (unsigned long long)got,
		(unsigned long long)wanted);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static __u8 *pages;

	if (!pages)
		pages = make_pages();
	if (size > PAGES)
		return 0;
	check_at(pages + PAGES - size, data, size);
	check_at(pages, data, size);
	return 0;
}
