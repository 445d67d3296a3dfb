/* SPDX-License-Identifier: GPL-2.0-only */
/* Arrays: their size, sorting, growing, and large zeroed allocations. */
#ifndef ARRAY_H
#define ARRAY_H

#include <stddef.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/*
 * Sorts like qsort(), but does nothing if the array is sorted already. The rules of a long
 * file mostly are.
 */
void array_sort(void *array, size_t count, size_t size,
		int (*compare)(const void *left, const void *right));

/*
 * Grows *array (elements of `size` bytes) to hold at least `count` + 1 elements. `room` is
 * the number of elements it can hold. Returns 0, or -ENOMEM with the array unchanged.
 */
int array_reserve(void *array, size_t *room, size_t count, size_t size);

/*
 * Allocates like calloc(), in huge pages if the kernel has some. Meant for megabytes, where a
 * page fault for each 4 KiB would take longer than most uses of the memory.
 */
void *large_calloc(size_t count, size_t size);

#endif
