// SPDX-License-Identifier: GPL-2.0-only
#include "base/array.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define LARGE_PAGE (2u << 20)

/*
 * Requests huge pages for a large allocation. The range is widened to whole pages, because
 * mremap() cannot grow a mapping that is split in two. Failure does no harm.
 */
static void *large_pages(void *memory, size_t size)
{
	size_t page = sysconf(_SC_PAGESIZE);
	uintptr_t start = (uintptr_t)memory & -page;
	uintptr_t end = ((uintptr_t)memory + size + page - 1) & -page;

	if (memory && size >= LARGE_PAGE)
		madvise((void *)start, end - start, MADV_HUGEPAGE);
	return memory;
}

void *large_calloc(size_t count, size_t size)
{
	return large_pages(calloc(count, size), count * size);
}

void array_sort(void *array, size_t count, size_t size,
		int (*compare)(const void *left, const void *right))
{
	const char *element = array;

	for (size_t i = 1; i < count; i++, element += size) {
		if (compare(element, element + size) > 0) {
			qsort(array, count, size, compare);
			return;
		}
	}
}

int array_reserve(void *array, size_t *room, size_t count, size_t size)
{
	void **pointer = array, *grown;
	size_t more = *room ? *room * 2 : 4;

	if (count < *room)
		return 0;
	grown = reallocarray(*pointer, more, size);
	if (!grown)
		return -ENOMEM;
	*pointer = large_pages(grown, more * size);
	*room = more;
	return 0;
}
